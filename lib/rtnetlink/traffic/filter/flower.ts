// The filter by header fields; see tc-flower(8).

import { type Address, type Cidr, formatAddress, parseCidr } from '../../../cidr.ts'
import { optionalNumber, optionalText, present } from '../../../exchange.ts'
import { integer, invalidValue, oneOf } from '../../../invalid.ts'
import { interfaceName, macAddress } from '../../../names.ts'
import type { Body } from '../../../native.ts'

const ipProtocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const
type IpProtocol = keyof typeof ipProtocols

export interface FlowerSpec {
  /** Name of the device that the packet came in by. */
  readonly indev?: string
  readonly sourceMac?: string
  readonly destinationMac?: string
  /** An address or a network, of the filter's protocol. */
  readonly source?: string
  readonly destination?: string
  readonly ipProtocol?: IpProtocol | number
  /** Needs `ipProtocol` tcp or udp. */
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** Needs the filter's protocol `802.1q`. */
  readonly vlanId?: number
  readonly vlanPriority?: number
  /** What is inside the VLAN header. */
  readonly vlanProtocol?: 'ip' | 'ipv6'
}

/** As in FlowerSpec; addresses always with their prefix. */
export interface FlowerInfo extends Omit<FlowerSpec, 'ipProtocol'> {
  readonly ipProtocol?: IpProtocol | number
}

export const flowerNames: readonly string[] = [
  ...['indev', 'sourceMac', 'destinationMac', 'source', 'destination', 'ipProtocol', 'sourcePort', 'destinationPort'],
  ...['vlanId', 'vlanPriority', 'vlanProtocol'],
]

const etherTypes = { ip: 0x0800, ipv6: 0x86dd } as const

const maskOf = ({ family, prefixLength }: Cidr): string => {
  const bytes = new Uint8Array(family === 2 ? 4 : 16)
  for (let bit = 0; bit < prefixLength; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
  return formatAddress(bytes)
}

function addressFields(name: 'source' | 'destination', text: string | undefined, path: string, protocol: number): Body {
  if (text === undefined) return {}
  const version = protocol === etherTypes.ip ? 4 : protocol === etherTypes.ipv6 ? 6 : undefined
  if (version === undefined) throw invalidValue(`${path}.${name}`, "needs a protocol of 'ip' or 'ipv6'", text)
  const full = typeof text === 'string' && !text.includes('/') ? `${text}/${version === 4 ? 32 : 128}` : text
  const cidr = parseCidr(full, `${path}.${name}`)
  if ((cidr.family === 2) !== (version === 4)) throw invalidValue(`${path}.${name}`, `must be of IPv${version}`, text)
  return { [`${name}${version}`]: cidr.text, [`${name}${version}Mask`]: maskOf(cidr) }
}

function portFields(spec: FlowerSpec, path: string, ipProtocol: number | undefined): Body {
  const found: Record<string, number> = {}
  for (const name of ['source', 'destination'] as const) {
    const port = spec[`${name}Port`]
    if (port === undefined) continue
    const which = ipProtocol === ipProtocols.tcp ? 'tcp' : ipProtocol === ipProtocols.udp ? 'udp' : undefined
    if (which === undefined) throw invalidValue(`${path}.${name}Port`, "needs ipProtocol 'tcp' or 'udp'", port)
    found[`${which}${name === 'source' ? 'Source' : 'Destination'}`] = integer(port, `${path}.${name}Port`, 0, 65535)
  }
  return found
}

const wholeMac = 'ff:ff:ff:ff:ff:ff'

/** `protocol` is the filter's, an EtherType. */
export function flowerOptions(spec: FlowerSpec, path: string, protocol: number, all: number): Body {
  const ipProtocol =
    spec.ipProtocol === undefined
      ? undefined
      : typeof spec.ipProtocol === 'number'
        ? integer(spec.ipProtocol, `${path}.ipProtocol`, 0, 255)
        : ipProtocols[oneOf(spec.ipProtocol, `${path}.ipProtocol`, Object.keys(ipProtocols) as IpProtocol[])]
  const vlanProtocol =
    spec.vlanProtocol === undefined
      ? undefined
      : etherTypes[oneOf(spec.vlanProtocol, `${path}.vlanProtocol`, ['ip', 'ipv6'] as const)]
  const inner = vlanProtocol ?? protocol
  const mac = (name: 'sourceMac' | 'destinationMac'): Body =>
    spec[name] === undefined ? {} : { [name]: macAddress(spec[name], `${path}.${name}`), [`${name}Mask`]: wholeMac }
  return {
    indev: spec.indev === undefined ? undefined : interfaceName(spec.indev, `${path}.indev`),
    vlanId: spec.vlanId === undefined ? undefined : integer(spec.vlanId, `${path}.vlanId`, 0, 4095),
    vlanPriority: spec.vlanPriority === undefined ? undefined : integer(spec.vlanPriority, `${path}.vlanPriority`, 0, 7),
    vlanProtocol,
    ...mac('destinationMac'),
    ...mac('sourceMac'),
    ...addressFields('source', spec.source, path, inner),
    ...addressFields('destination', spec.destination, path, inner),
    ipProtocol,
    ...portFields(spec, path, ipProtocol),
    protocol: protocol === all ? undefined : protocol,
  }
}

const prefixFrom = (mask: string | undefined): number | undefined => {
  if (mask === undefined) return undefined
  const bytes = parseCidr(`${mask}/${mask.includes(':') ? 128 : 32}`, 'mask').bytes
  return bytes.reduce((bits, byte) => bits + byte.toString(2).replaceAll('0', '').length, 0)
}

function addressFrom(options: Body, name: 'source' | 'destination'): string | undefined {
  for (const version of [4, 6]) {
    const address: Address['text'] | undefined = optionalText(options[`${name}${version}`])
    const length = prefixFrom(optionalText(options[`${name}${version}Mask`]))
    if (address !== undefined && length !== 0) return `${address}/${length ?? (version === 4 ? 32 : 128)}`
  }
  return undefined
}

export function flowerInfo(options: Body): FlowerInfo {
  const ipProtocol = optionalNumber(options['ipProtocol'])
  const vlanProtocol = optionalNumber(options['vlanProtocol'])
  const ipName = Object.entries(ipProtocols).find(([, value]) => value === ipProtocol)?.[0] as IpProtocol | undefined
  return present({
    indev: optionalText(options['indev']),
    sourceMac: optionalText(options['sourceMac']),
    destinationMac: optionalText(options['destinationMac']),
    source: addressFrom(options, 'source'),
    destination: addressFrom(options, 'destination'),
    ipProtocol: ipName ?? ipProtocol,
    sourcePort: optionalNumber(options['tcpSource']) ?? optionalNumber(options['udpSource']),
    destinationPort: optionalNumber(options['tcpDestination']) ?? optionalNumber(options['udpDestination']),
    vlanId: optionalNumber(options['vlanId']),
    vlanPriority: optionalNumber(options['vlanPriority']),
    vlanProtocol:
      vlanProtocol === etherTypes.ip ? ('ip' as const) : vlanProtocol === etherTypes.ipv6 ? ('ipv6' as const) : undefined,
  }) as FlowerInfo
}
