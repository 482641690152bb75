// Compiled rules in the words of `nft --debug=netlink`, so that what this library would send can be compared with what nft sends.

import type { KernelMessage, KernelObject } from '../../../lib/nftables/message.ts'

interface Data {
  value?: Uint8Array
  verdict?: { code: number; chain?: string }
}

type Fields = Record<string, number | bigint | string | Data | undefined>

const metaNames: Record<number, string> = {
  0: 'len', 1: 'protocol', 2: 'priority', 3: 'mark', 4: 'iif', 5: 'oif', 6: 'iifname', 7: 'oifname', 8: 'iiftype', 9: 'oiftype',
  10: 'skuid', 11: 'skgid', 15: 'nfproto', 16: 'l4proto', 19: 'pkttype', 20: 'cpu', 21: 'iifgroup', 22: 'oifgroup',
} // biome-ignore format: a table
const ctNames: Record<number, string> = { 0: 'state', 1: 'direction', 2: 'status', 3: 'mark', 19: 'src_ip', 20: 'dst_ip' }
const comparisons = ['eq', 'neq', 'lt', 'lte', 'gt', 'gte']
const bases = ['link', 'network', 'transport']
const verdicts: Record<number, string> = { 0: 'drop', 1: 'accept', [-1]: 'continue', [-3]: 'jump', [-4]: 'goto', [-5]: 'return' }
const units: Record<string, string> = { 1: 'second', 60: 'minute', 3600: 'hour' }

/** The bytes as nft prints them: words in the machine's order, the last one filled up with zeros. */
function words(bytes: Uint8Array): string {
  const padded = new Uint8Array((bytes.length + 3) & ~3)
  padded.set(bytes)
  const view = new DataView(padded.buffer)
  return Array.from(
    { length: padded.length / 4 },
    (_, index) =>
      `0x${view
        .getUint32(index * 4, true)
        .toString(16)
        .padStart(8, '0')}`,
  ).join(' ')
}

const value = (data: unknown): string => words((data as Data).value ?? new Uint8Array())

function verdict({ code, chain }: { code: number; chain?: string }): string {
  return `${verdicts[code]}${chain === undefined ? '' : ` -> ${chain}`}`
}

const hex = (flags: unknown): string => `0x${Number(flags).toString(16)}`
const option = (name: string, field: unknown): string => (field === undefined ? '' : ` ${name} ${String(field)}`)

const printers: Record<string, (f: Fields) => string> = {
  payload: (f) =>
    f['sreg'] === undefined
      ? `load ${f['len']}b @ ${bases[Number(f['base'])]} header + ${f['offset']} => reg ${f['dreg']}`
      : `write reg ${f['sreg']} => ${f['len']}b @ ${bases[Number(f['base'])]} header + ${f['offset']} ` +
        `csum_type ${f['csumType'] ?? 0} csum_off ${f['csumOffset'] ?? 0} csum_flags ${hex(f['csumFlags'] ?? 0)}`,
  meta: (f) =>
    f['sreg'] === undefined
      ? `load ${metaNames[Number(f['key'])]} => reg ${f['dreg']}`
      : `set ${metaNames[Number(f['key'])]} with reg ${f['sreg']}`,
  ct: (f) =>
    f['sreg'] === undefined
      ? `load ${ctNames[Number(f['key'])]} => reg ${f['dreg']}${f['direction'] === undefined ? '' : ` , dir ${f['direction'] === 0 ? 'original' : 'reply'}`}`
      : `set ${ctNames[Number(f['key'])]} with reg ${f['sreg']}`,
  fib: (f) => {
    const names = ['saddr', 'daddr', 'mark', 'iif', 'oif'].filter((_, bit) => Number(f['flags']) & (1 << bit))
    return `${names.join(' . ')} ${['', 'oif', 'oifname', 'type'][Number(f['result'])]} => reg ${f['dreg']}`
  },
  cmp: (f) => `${comparisons[Number(f['op'])]} reg ${f['sreg']} ${value(f['data'])}`,
  range: (f) => `${f['op'] === 1 ? 'neq' : 'eq'} reg ${f['sreg']} ${value(f['from'])} ${value(f['to'])}`,
  bitwise: (f) =>
    f['op'] === undefined
      ? `reg ${f['dreg']} = ( reg ${f['sreg']} & ${value(f['mask'])} ) ^ ${value(f['xor'])}`
      : `reg ${f['dreg']} = ( reg ${f['sreg']} ${f['op'] === 1 ? '<<' : '>>'} ${value(f['data'])} )`,
  byteorder: (f) => `reg ${f['dreg']} = hton(reg ${f['sreg']}, ${f['size']}, ${f['len']})`,
  lookup: (f) =>
    `reg ${f['sreg']} set ${f['set']}${option('dreg', f['dreg'])}${f['flags'] === undefined ? '' : ` ${hex(f['flags'])}`}`,
  immediate: (f) => {
    const data = f['data'] as Data
    return `reg ${f['dreg']} ${data.verdict === undefined ? value(data) : verdict(data.verdict)}`
  },
  nat: (f) =>
    `${f['type'] === 0 ? 'snat' : 'dnat'} ${f['family'] === 2 ? 'ip' : 'ip6'}${option('addr_min reg', f['addrMin'])}` +
    `${option('addr_max reg', f['addrMax'])}${option('proto_min reg', f['protoMin'])}${option('proto_max reg', f['protoMax'])}` +
    `${f['flags'] === undefined ? '' : ` flags ${hex(f['flags'])}`}`,
  masq: (f) => `${ports(f)}${f['flags'] === undefined ? '' : `flags ${hex(f['flags'])}`}`,
  redir: (f) => `${ports(f)}${f['flags'] === undefined ? '' : `flags ${hex(f['flags'])}`}`,
  counter: (f) => `pkts ${f['packets']} bytes ${f['bytes']}`,
  reject: (f) => `type ${f['type']} code ${f['icmpCode']}`,
  limit: (f) =>
    `rate ${f['rate']}/${units[String(f['unit'])]} burst ${f['burst']} type ${f['type'] === 0 ? 'packets' : 'bytes'} flags ${hex(f['flags'])}`,
  log: (f) =>
    ['prefix', 'group', 'snaplen', 'qthreshold', 'level']
      // nft prints all three where there is a group.
      .map((name) => option(name, f[name] ?? (f['group'] !== undefined && /snaplen|qthreshold/.test(name) ? 0 : undefined)))
      .join('')
      .trim(),
  notrack: () => '',
  queue: (f) => {
    const last = Number(f['num']) + Number(f['total']) - 1
    return `num ${f['num']}${last === f['num'] ? '' : `-${last}`}${Number(f['flags']) & 1 ? ' bypass' : ''}${Number(f['flags']) & 2 ? ' fanout' : ''}`
  },
}

const ports = (f: Fields): string =>
  ['min', 'max']
    .map((end) =>
      f[`proto${end === 'min' ? 'Min' : 'Max'}`] === undefined
        ? ''
        : `proto_${end} reg ${f[`proto${end === 'min' ? 'Min' : 'Max'}`]} `,
    )
    .join('')

/** One line for each expression of a rule, without the brackets. */
export function bytecode(message: KernelMessage): string[] {
  return (message.body['expressions'] as readonly { name: string; data: KernelObject }[]).map(({ name, data }) => {
    const print = printers[name]
    if (print === undefined) throw new Error(`no printer for ${name}`)
    return `${name} ${print(data as Fields)}`.trim()
  })
}

/** One line for each element, as `nft --debug=netlink` prints it without its userdata. */
export function elementLines(message: KernelMessage): string[] {
  return (message.body['elements'] as readonly KernelObject[]).map((element) => {
    const plain = (data: unknown): string => value(data).replaceAll('0x', '')
    const data = element['data'] as Data | undefined
    const key = plain(element['key']) + (element['keyEnd'] === undefined ? ' ' : `  - ${plain(element['keyEnd'])} `)
    const datum = data === undefined ? '' : data.verdict === undefined ? `${plain(data)} ` : `${verdict(data.verdict)} `
    return `${key} : ${datum}${element['flags'] ?? 0}`
  })
}
