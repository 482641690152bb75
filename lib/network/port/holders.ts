// Who has a port of the host, as the table tells.

import { formatAddress } from '../../cidr.ts'
import { kernel, NetlinkError } from '../../errors.ts'
import { dump } from '../../exchange.ts'
import { type Body, type Message, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { listElements, type PublishedPort, portElement, readPorts, tableName } from '../firewall/index.ts'
import { endpointAltname, parseEndpointLabel } from '../label.ts'
import { published } from './elements.ts'
import { protocolNumber } from './port.ts'

export interface Holder {
  readonly port: PublishedPort
  readonly owner: string
  readonly address: Uint8Array
}

/** What stands in a set of the table. */
export async function elementsIn(host: Netns, set: string, signal?: AbortSignal): Promise<readonly Body[]> {
  const { type, body } = listElements(set) as Message
  return dump(Netns.handleOf(host), type, body, `the set ${set}`, (reply) => reply, { signal })
}

/** Of those of the ports that are in the table. */
export async function holdersOf(host: Netns, ports: readonly PublishedPort[]): Promise<Holder[]> {
  const { family, name: table } = tableName
  const questions = ports.map((port): Message => {
    const { set, key } = portElement(port, new Uint8Array(port.family === 2 ? 4 : 16), '')
    return { type: 'NFT_MSG_GETSETELEM', flags: 0, body: { family, table, set, elements: [{ key: { value: key } }] } }
  })
  const outcomes = await kernel(native.submit(Netns.handleOf(host), questions))
  return outcomes.flatMap(({ replies }) =>
    readPorts(replies).map(({ owner, containerAddress, ...port }): Holder => ({ port, owner, address: containerAddress })),
  )
}

const protocolNameOf = (number: number): string =>
  Object.entries(protocolNumber).find(([, other]) => other === number)?.[0] ?? String(number)

/** On whichever address: '8080/tcp'. */
export const numberOf = ({ protocol, hostPort }: Pick<PublishedPort, 'protocol' | 'hostPort'>): string =>
  `${hostPort}/${protocolNameOf(protocol)}`

/** As a port is called on the host's side. */
export function keyOf(port: PublishedPort): string {
  const address = port.hostAddress === undefined ? undefined : formatAddress(port.hostAddress)
  const at = address === undefined ? '' : address.includes(':') ? `[${address}]:` : `${address}:`
  return `${at}${numberOf(port)}`
}

/** An endpoint's device is there before its elements and after them, and its alias tells of all of them. */
export async function isAlive(host: Netns, { port, owner }: Holder): Promise<boolean> {
  const [network = '', name = ''] = owner.split('/')
  if (name === '') return true // somebody made the element by hand
  try {
    const link = await host.getLink(endpointAltname(network, name))
    const ports = parseEndpointLabel(link.alias)?.ports
    return ports === undefined || published(ports, [port.family]).some((has) => keyOf(has) === keyOf(port))
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENODEV') return false
    throw error
  }
}
