// Numbers of linux/netlink.h, linux/rtnetlink.h and linux/if.h that this side names.

export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800

export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_BRIDGE = 7
export const AF_INET6 = 10

export const IFF_UP = 1
export const IFF_LOOPBACK = 8
export const IFF_NOARP = 0x80
export const IFF_PROMISC = 0x100
export const IFF_ALLMULTI = 0x200
export const IFF_MULTICAST = 0x1000
export const IFF_LOWER_UP = 0x10000

/** Leave the statistics of IPv6 and of virtual functions out of an answer. The device's own come all the same. */
export const RTEXT_FILTER_SKIP_STATS = 8

export const RT_TABLE = { default: 253, main: 254, local: 255 } as const
export const RT_SCOPE = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const
/** With the names of iproute2's rt_protos. */
export const RTPROT = {
  unspec: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  gated: 8,
  ra: 9,
  mrt: 10,
  zebra: 11,
  bird: 12,
  dnrouted: 13,
  xorp: 14,
  ntk: 15,
  dhcp: 16,
  mrouted: 17,
  keepalived: 18,
  babel: 42,
  openr: 99,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
  eigrp: 192,
} as const
export const RTN = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
} as const
export const RTNH_F_ONLINK = 4

type Table<W extends string = string> = Readonly<Record<W, number>>

/** The words of a table by their numbers; of two words for one number the first. */
const words = new WeakMap<Table, ReadonlyMap<number, string>>()

function wordsOf<W extends string>(table: Table<W>): ReadonlyMap<number, W> {
  const known = words.get(table)
  if (known !== undefined) return known as ReadonlyMap<number, W>
  const pairs = (Object.keys(table) as W[]).map((word) => [table[word], word] as const)
  const made = new Map(pairs.reverse())
  words.set(table, made)
  return made
}

/** The word for a number in one of these tables, or the number. */
export const wordOrNumber = <W extends string>(table: Table<W>, number: number): W | number =>
  wordsOf(table).get(number) ?? number

/** The word for a number in one of these tables, or the number's digits. */
export const wordOf = (table: Table, number: number): string => String(wordOrNumber(table, number))
