// docs/policies.md, "The model", as a function: nothing here knows of nftables.

import { BlockList, isIPv6 } from 'node:net'
import type { ContainersPeer, LabelCondition, Peer, PolicyRule } from '../../lib/index.ts'

export interface ModelNetwork {
  readonly name: string
  readonly subnets: readonly string[]
  readonly icc: boolean
  readonly internal: boolean
}

/** A container, or with neither network nor name somebody outside, or the host. */
export interface Party {
  readonly network?: ModelNetwork
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly isHost?: boolean
  /** In the family that is asked. */
  readonly address: string
}

export interface Question {
  readonly from: Party
  readonly to: Party
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  /** Of who answers. */
  readonly port: number
  /** It was called by a port of the host. */
  readonly isPublished: boolean
}

function lies(address: string, cidr: string): boolean {
  const [network = '', length = ''] = cidr.split('/')
  if (isIPv6(network) !== isIPv6(address)) return false
  const list = new BlockList()
  const family = isIPv6(network) ? 'ipv6' : 'ipv4'
  list.addSubnet(network, Number(length), family)
  return list.check(address, family)
}

function hasLabel(value: string | undefined, wanted: LabelCondition): boolean {
  if (wanted === true) return value !== undefined
  if (wanted === false) return value === undefined
  if (typeof wanted === 'string') return value === wanted
  if ('not' in wanted) return value === undefined || ![wanted.not].flat().includes(value)
  return value !== undefined && wanted.includes(value)
}

function isChosen({ network, container, labels = {} }: ContainersPeer, party: Party): boolean {
  if (party.network === undefined) return false
  return (
    (network === undefined || party.network.name === network) &&
    (container === undefined || party.name === container) &&
    Object.entries(labels).every(([key, wanted]) => hasLabel(party.labels?.[key], wanted))
  )
}

function isPeer(peer: Peer, party: Party): boolean {
  if (peer === 'any') return true
  if (peer === 'host') return party.isHost === true
  if (peer === 'world') return party.isHost !== true && party.network === undefined
  if ('cidr' in peer) return lies(party.address, peer.cidr) && !(peer.except ?? []).some((hole) => lies(party.address, hole))
  return isChosen(peer, party)
}

function hasPort(ports: readonly string[] | undefined, { protocol, port }: Question): boolean {
  if (ports === undefined) return true
  return ports.some((text) => {
    const [range = '', own = 'tcp'] = /\d/.test(text) ? text.split('/') : ['0-65535', text]
    const [first = '', last = first] = range.split('-')
    return own === protocol && (own === 'icmp' || (port >= Number(first) && port <= Number(last)))
  })
}

function fits(rule: PolicyRule, question: Question): boolean {
  if (rule.action === 'isolate') return false
  const { from, to } = question
  return rule.from.some((peer) => isPeer(peer, from)) && rule.to.some((peer) => isPeer(peer, to)) && hasPort(rule.ports, question)
}

/** What the options say. */
function isOpen({ from, to, isPublished }: Question): boolean {
  if (from.isHost || to.isHost) return true
  if (from.network !== undefined && from.network === to.network) return from.network.icc
  if (from.network?.internal) return false
  return to.network === undefined || isPublished
}

export function passes(rules: readonly PolicyRule[], question: Question): boolean {
  const { from, to } = question
  const allows = rules.filter((rule) => rule.action === 'allow').filter((rule) => fits(rule, question))
  const isIsolated = (party: Party, direction: 'ingress' | 'egress'): boolean =>
    rules.some(
      (rule) =>
        rule.action === 'isolate' &&
        (rule.direction ?? direction) === direction &&
        rule.containers.some((peer) => isChosen(peer, party)),
    )
  const isAllowed = (direction: 'ingress' | 'egress'): boolean =>
    allows.some((rule) => rule.action === 'allow' && (rule.direction ?? direction) === direction)
  if (rules.some((rule) => rule.action === 'deny' && fits(rule, question))) return false
  if (from.isHost || to.isHost) return isOpen(question)
  if (isIsolated(from, 'egress') && !isAllowed('egress')) return false
  if (isIsolated(to, 'ingress') && !isAllowed('ingress')) return false
  return allows.length > 0 || isOpen(question)
}
