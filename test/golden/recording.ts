// The recorded messages as text: one file an area, a command and below it what it sent (>) or was told (<), the bytes behind the nlmsghdr.

import { readFileSync } from 'node:fs'

export interface Recorded {
  readonly direction: '>' | '<'
  readonly type: string
  /** NLM_F_*, without NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags: number
  /** Behind the nlmsghdr. */
  readonly bytes: Uint8Array
}

export interface Recording {
  readonly command: string
  readonly messages: readonly Recorded[]
  /** What the kernel that it was recorded on had against it. */
  readonly refusal?: string
}

const NLM_F_REQUEST = 1
const NLM_F_ACK = 4

// RTM_BASE is 16, and each thing has four numbers: new, delete, get, set.
const things: Readonly<Record<number, string>> = {
  ...{ 16: 'LINK', 20: 'ADDR', 24: 'ROUTE', 28: 'NEIGH', 32: 'RULE', 36: 'QDISC', 40: 'TCLASS', 44: 'TFILTER', 48: 'ACTION' },
  ...{ 64: 'NEIGHTBL', 80: 'NETCONF', 84: 'MDB', 88: 'NSID', 92: 'STATS', 100: 'CHAIN', 104: 'NEXTHOP', 108: 'LINKPROP' },
  ...{ 112: 'VLAN', 116: 'NEXTHOPBUCKET', 120: 'TUNNEL' },
}

const verbs = ['NEW', 'DEL', 'GET', 'SET']

// From NFT_MSG_NEWTABLE and IPCTNL_MSG_CT_NEW on; those that this library does not speak are left out.
const nftables: readonly (string | undefined)[] = [
  ...['TABLE', 'CHAIN', 'RULE', 'SET', 'SETELEM'].flatMap((thing) => ['NEW', 'GET', 'DEL'].map((verb) => verb + thing)),
  ...['NEWGEN', 'GETGEN', undefined, 'NEWOBJ', 'GETOBJ', 'DELOBJ'],
]
const conntrack: readonly (string | undefined)[] = ['NEW', 'GET', 'DELETE']

/** `RTM_NEWLINK`; undefined for the messages of netlink itself: acknowledgements, ends of dumps, limits of batches. */
function typeName(number: number, netfilter: boolean): string | undefined {
  if (number < 16 || (netfilter && number < 0x100)) return undefined
  const names = number >> 8 === 10 ? nftables : conntrack
  const name = netfilter ? names[number & 0xff] : things[number & ~3]
  if (netfilter) return name && `${number >> 8 === 10 ? 'NFT_MSG' : 'IPCTNL_MSG_CT'}_${name}`
  if (name === undefined) throw new Error(`no name for the message type ${number}`)
  return `RTM_${verbs[number & 3]}${name}`
}

/** The messages of one datagram. `netfilter`: not of the route protocol, whose numbers are others. */
export function messagesOf(datagram: Buffer, direction: Recorded['direction'], netfilter: boolean): Recorded[] {
  const messages: Recorded[] = []
  for (let at = 0; at + 16 <= datagram.length; ) {
    const length = datagram.readUInt32LE(at)
    if (length < 16 || at + length > datagram.length) break // as the kernel: ip sends zeros behind some messages
    const type = typeName(datagram.readUInt16LE(at + 4), netfilter)
    const flags = datagram.readUInt16LE(at + 6) & ~(NLM_F_REQUEST | NLM_F_ACK)
    if (type !== undefined) messages.push({ direction, type, flags, bytes: datagram.subarray(at + 16, at + length) })
    at += (length + 3) & ~3
  }
  return messages
}

const words = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/.{1,96}/g, (line) => `${line.replace(/.{8}(?=.)/g, '$& ')}\n`)

const written = ({ direction, type, flags, bytes }: Recorded): string =>
  `${direction} ${type}${flags === 0 ? '' : ` 0x${flags.toString(16)}`}\n${words(bytes)}`

export const format = (heading: readonly string[], recordings: readonly Recording[]): string =>
  [
    heading.map((line) => `# ${line}\n`).join(''),
    ...recordings.map(
      ({ command, refusal, messages }) =>
        `$ ${command}\n${refusal === undefined ? '' : `! ${refusal}\n`}${messages.map(written).join('')}`,
    ),
  ].join('\n')

function recorded(lines: readonly string[]): Recorded {
  const [head = '', ...bytes] = lines
  const [direction, type = '', flags = '0'] = head.split(' ')
  const hex = bytes.join('').replaceAll(' ', '')
  return { direction: direction === '<' ? '<' : '>', type, flags: Number(flags), bytes: Buffer.from(hex, 'hex') }
}

/** The recordings of a file, in their order. */
export function recordingsIn(file: string): Recording[] {
  const text = readFileSync(file, 'utf8')
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...lines] = part.trimEnd().split('\n')
      const refusal = lines[0]?.startsWith('! ') ? lines.shift()?.slice(2) : undefined
      const messages = lines
        .join('\n')
        .split(/\n(?=[<>])/)
        .filter((message) => message !== '')
        .map((message) => recorded(message.split('\n')))
      return { command, messages, ...(refusal === undefined ? {} : { refusal }) }
    })
}
