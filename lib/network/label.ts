// What is remembered about networks and endpoints, in the kernel: the aliases and alternative names of their devices.
//
//   bridge    altname netlink-ct/lab        alias netlink-ct/1 network lab icc masquerade forwarding=0
//   host end  altname netlink-ct/lab/web    alias netlink-ct/1 endpoint web 8080:80 127.0.0.1:53:53/udp [mac=02:00:00:00:00:07]
//
// An alternative name is unique in its namespace: two networks, or two endpoints of a network, cannot have the same name, because
// the kernel refuses the second; and the device is found by name without a dump.

import { macAddress, objectName } from '../names.ts'
import { formatPorts, type Port, parsePorts } from './port.ts'

const prefix = 'netlink-ct/1'
/** IFALIASZ without the NUL. */
const longest = 255

export const networkAltname = (network: string): string => `netlink-ct/${network}`
export const endpointAltname = (network: string, endpoint: string): string => `netlink-ct/${network}/${endpoint}`

export interface NetworkLabel {
  readonly name: string
  readonly internal: boolean
  readonly icc: boolean
  readonly masquerade: boolean
  /** net.ipv4.ip_forward as it was before the first network. */
  readonly forwardingBefore: boolean
}

export interface EndpointLabel {
  readonly name: string
  readonly ports: readonly Port[]
  /** Only when it is not derived from the address. */
  readonly mac?: string | undefined
}

export function formatNetworkLabel(label: NetworkLabel): string {
  const words = [prefix, 'network', label.name]
  if (label.internal) words.push('internal')
  if (label.icc) words.push('icc')
  if (label.masquerade) words.push('masquerade')
  words.push(`forwarding=${label.forwardingBefore ? 1 : 0}`)
  return words.join(' ')
}

/** undefined for an alias that is not ours. */
export function parseNetworkLabel(alias: string | undefined): NetworkLabel | undefined {
  const [mark, kind, name, ...words] = alias?.split(' ') ?? []
  if (mark !== prefix || kind !== 'network' || name === undefined) return undefined
  const has = (word: string): boolean => words.includes(word)
  return {
    name,
    internal: has('internal'),
    icc: has('icc'),
    masquerade: has('masquerade'),
    forwardingBefore: !has('forwarding=0'),
  }
}

/** Throws a RangeError when the ports' description does not fit the alias. */
export function formatEndpointLabel(label: EndpointLabel): string {
  const mac = label.mac === undefined ? [] : [`mac=${label.mac}`]
  const text = [prefix, 'endpoint', label.name, ...formatPorts(label.ports), ...mac].join(' ')
  if (text.length > longest) {
    throw Object.assign(
      new RangeError(
        `the published ports of '${label.name}' take ${text.length} characters to remember, the kernel keeps ${longest}: publish ranges`,
      ),
      { code: 'ERR_OUT_OF_RANGE' },
    )
  }
  return text
}

/** undefined for an alias that is not ours, or that somebody spoiled. */
export function parseEndpointLabel(alias: string | undefined): EndpointLabel | undefined {
  const [mark, kind, name, ...words] = alias?.split(' ') ?? []
  if (mark !== prefix || kind !== 'endpoint' || name === undefined) return undefined
  const isMac = (word: string): boolean => word.startsWith('mac=')
  const mac = words.find(isMac)?.slice('mac='.length)
  try {
    const ports = parsePorts(
      words.filter((word) => !isMac(word)),
      'the alias',
    )
    return { name: objectName(name, 'the alias'), ports, mac: mac === undefined ? undefined : macAddress(mac, 'the alias') }
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined
    throw error
  }
}
