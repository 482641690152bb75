// Policies as callers write them, checked and completed.

import { isIP } from 'node:net'
import { formatCidr, networkOf, overlaps, parseCidr } from '../cidr.ts'
import { fields, invalidType, invalidValue, oneOf, outOfRange } from '../invalid.ts'
import { objectName } from '../names.ts'
import type { ContainersPeer, Direction, LabelCondition, Peer, PeerSpec, Policy, PolicyPort, PolicyRule } from './policy.ts'
import { containersOf } from './policy.ts'

type OneOrMany<T> = T | readonly T[]

export interface AllowSpec {
  /** @defaultValue made from what it says, so that the same one again is the same */
  readonly name?: string
  readonly from: OneOrMany<PeerSpec>
  readonly to: OneOrMany<PeerSpec>
  /** @defaultValue all */
  readonly ports?: OneOrMany<PolicyPort>
  /** As far as only the receivers, or only the senders, are isolated. @defaultValue both */
  readonly direction?: Direction
}

export type DenySpec = Omit<AllowSpec, 'direction'>

export interface IsolateSpec {
  /** @defaultValue made from what it says */
  readonly name?: string
  readonly containers: OneOrMany<PeerSpec>
  /** @defaultValue both */
  readonly direction?: Direction
}

export type PolicyRuleSpec =
  | ({ readonly action: 'allow' } & Omit<AllowSpec, 'name'>)
  | ({ readonly action: 'deny' } & Omit<DenySpec, 'name'>)
  | ({ readonly action: 'isolate' } & Omit<IsolateSpec, 'name'>)

export interface PolicySpec {
  readonly name: string
  readonly rules: readonly PolicyRuleSpec[]
}

export const longestName = 63
const longestNetwork = 32

const keywords = ['world', 'host', 'any'] as const
const labelKey = /^[\w./-]+$/

const many = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])
const placeOf = (value: unknown, path: string, at: number): string => (Array.isArray(value) ? `${path}[${at}]` : path)

function cidrOf(value: unknown, path: string): string {
  if (typeof value === 'string' && isIP(value) !== 0) return `${value}/${value.includes(':') ? 128 : 32}`
  const cidr = parseCidr(value, path)
  const exact = networkOf(cidr)
  if (exact.text !== cidr.text) throw invalidValue(path, `has bits behind its prefix: write '${formatCidr(exact)}'`, value)
  return formatCidr(exact)
}

function cidrPeer(value: object, path: string): Peer {
  const given = fields(value, path, ['cidr', 'except'])
  const cidr = cidrOf(given['cidr'], `${path}.cidr`)
  if (given['except'] === undefined) return { cidr }
  if (!Array.isArray(given['except'])) throw invalidType(`${path}.except`, "an array such as ['10.1.0.0/16']", given['except'])
  const except = given['except'].map((one, at) => {
    const place = `${path}.except[${at}]`
    const part = cidrOf(one, place)
    const [whole, hole] = [parseCidr(cidr, place), parseCidr(part, place)]
    if (hole.family !== whole.family || !overlaps(whole, hole) || hole.prefixLength < whole.prefixLength)
      throw invalidValue(place, `lies outside of ${cidr}`, one)
    return part
  })
  return except.length === 0 ? { cidr } : { cidr, except }
}

function labelValue(value: unknown, path: string): string {
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) throw invalidType(path, 'a well-formed text', value)
  return value
}

function labelValues(value: unknown, path: string): string | readonly string[] {
  if (!Array.isArray(value)) return labelValue(value, path)
  if (value.length === 0) throw invalidValue(path, 'must have at least one value', value)
  const values = value.map((one, at) => labelValue(one, `${path}[${at}]`))
  return values.length === 1 && values[0] !== undefined ? values[0] : values
}

function condition(value: unknown, path: string): LabelCondition {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string' || Array.isArray(value)) return labelValues(value, path)
  if (typeof value !== 'object' || value === null)
    throw invalidType(path, "a text, an array of them, a boolean or { not: 'text' }", value)
  return { not: labelValues(fields(value, path, ['not'])['not'], `${path}.not`) }
}

function containersPeer(value: unknown, path: string): ContainersPeer {
  const given = fields(value, path, ['network', 'container', 'labels'])
  const { network, container, labels } = given
  const peer: { network?: string; container?: string; labels?: Record<string, LabelCondition> } = {}
  if (network !== undefined) peer.network = objectName(network, `${path}.network`, longestNetwork)
  if (container !== undefined) peer.container = objectName(container, `${path}.container`)
  if (labels === undefined) return peer
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels))
    throw invalidType(`${path}.labels`, "an object such as { app: 'shop' }", labels)
  const conditions = Object.entries(labels).map(([key, wanted]) => {
    if (!labelKey.test(key)) throw invalidValue(`${path}.labels`, "must have keys of letters, digits, '_', '.', '/' and '-'", key)
    return [key, condition(wanted, `${path}.labels['${key}']`)] as const
  })
  return conditions.length === 0 ? peer : { ...peer, labels: Object.fromEntries(conditions) }
}

function peerOfText(text: string, path: string): Peer {
  if ((keywords as readonly string[]).includes(text)) return text as (typeof keywords)[number]
  const [first = '', second, ...rest] = text.split('/')
  if (isIP(first) !== 0) return { cidr: cidrOf(text, path) }
  if (rest.length > 0)
    throw invalidValue(path, "must be '<network>', '<network>/<container>', a CIDR, 'world', 'host' or 'any'", text)
  const network = objectName(first, path, longestNetwork)
  return second === undefined ? { network } : { network, container: objectName(second, path) }
}

function peerOf(value: unknown, path: string): Peer {
  if (typeof value === 'string') return peerOfText(value, path)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType(path, "a peer such as 'lab/web', { network: 'lab' } or { cidr: '10.0.0.0/8' }", value)
  if ('cidr' in value) return cidrPeer(value, path)
  // A Network and an Endpoint, of whatever class.
  if ('name' in value && 'subnets' in value) return { network: objectName(value.name, path, longestNetwork) }
  if ('name' in value && 'network' in value && 'hostIfname' in value)
    return { network: objectName(value.network, path, longestNetwork), container: objectName(value.name, path) }
  return containersPeer(value, path)
}

function peersOf(value: unknown, path: string): Peer[] {
  if (value === undefined) throw invalidType(path, "a peer such as 'lab/web', 'world' or { cidr: '10.0.0.0/8' }", value)
  const peers = many(value).map((one, at) => peerOf(one, placeOf(value, path, at)))
  if (peers.length === 0) throw invalidValue(path, "must name somebody ('any' is everybody)", value)
  return peers
}

const protocols = ['tcp', 'udp', 'sctp', 'icmp'] as const
export type PolicyProtocol = (typeof protocols)[number]

/** What a PolicyPort means; `first` is undefined for a protocol as a whole. */
export interface PortRange {
  readonly protocol: PolicyProtocol
  readonly first?: number
  readonly last?: number
}

function portNumber(text: string, path: string): number {
  const number = Number(text)
  if (number < 1 || number > 65535) throw outOfRange(path, 1, 65535, number)
  return number
}

export function portRange(value: unknown, path: string): PortRange {
  if (typeof value !== 'string') throw invalidType(path, "a text such as '80', '8000-8100/udp' or 'icmp'", value)
  if (/^[a-z]+$/i.test(value)) return { protocol: oneOf(value, path, protocols) }
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-z]+))?$/.exec(value)
  if (match === null) throw invalidValue(path, "must be such as '80', '80/tcp', '8000-8100/udp' or 'icmp'", value)
  const [, from = '', to, word = 'tcp'] = match
  const protocol = oneOf(word, path, protocols)
  if (protocol === 'icmp') throw invalidValue(path, 'names ports of ICMP, which has none', value)
  const first = portNumber(from, path)
  const last = to === undefined ? first : portNumber(to, path)
  if (last < first) throw invalidValue(path, 'ends before it begins', value)
  return { protocol, first, last }
}

export const formatPortRange = ({ protocol, first, last }: PortRange): PolicyPort =>
  first === undefined ? protocol : `${first}${last === first ? '' : `-${last}`}/${protocol}`

function portsOf(value: unknown, path: string): { readonly ports?: readonly PolicyPort[] } {
  if (value === undefined) return {}
  const ports = many(value).map((one, at) => formatPortRange(portRange(one, placeOf(value, path, at))))
  if (ports.length === 0) throw invalidValue(path, 'must name a port, or be left out for all', value)
  return { ports: [...new Set(ports)] }
}

function directionOf(value: unknown, path: string): { readonly direction?: Direction } {
  return value === undefined ? {} : { direction: oneOf(value, path, ['ingress', 'egress']) }
}

function isolateRule(given: Readonly<Record<string, unknown>>, path: string): PolicyRule {
  const containers = peersOf(given['containers'], `${path}containers`).map((peer, at) => {
    if (typeof peer === 'object' && !('cidr' in peer)) return peer
    const place = placeOf(given['containers'], `${path}containers`, at)
    throw invalidValue(place, 'must be containers: only they can be isolated', many(given['containers'])[at])
  })
  return { action: 'isolate', containers, ...directionOf(given['direction'], `${path}direction`) }
}

const optionsOf = {
  allow: ['from', 'to', 'ports', 'direction'],
  deny: ['from', 'to', 'ports'],
  isolate: ['containers', 'direction'],
} as const

/** `path` ends with a dot, or is empty. */
function ruleOf(value: unknown, action: PolicyRule['action'], known: readonly string[], path: string, what: string): PolicyRule {
  const given = fields(value, what, [...known, ...optionsOf[action]])
  if (action === 'isolate') return isolateRule(given, path)
  const opening = {
    from: peersOf(given['from'], `${path}from`),
    to: peersOf(given['to'], `${path}to`),
    ...portsOf(given['ports'], `${path}ports`),
  }
  if (action === 'deny') return { action, ...opening }
  if (opening.from.includes('host') || opening.to.includes('host'))
    throw invalidValue(
      opening.from.includes('host') ? `${path}from` : `${path}to`,
      'needs no allow: the host is let through',
      'host',
    )
  return { action, ...opening, ...directionOf(given['direction'], `${path}direction`) }
}

/** The network that remembers it. */
function ownerOf(rules: readonly PolicyRule[]): string | undefined {
  return rules.flatMap(containersOf).find(({ network }) => network !== undefined)?.network
}

function owned(name: string, rules: readonly PolicyRule[], path: string, given: unknown): Policy {
  const network = ownerOf(rules)
  if (network === undefined) throw invalidValue(path, 'must name a network: its device remembers the policy', given)
  return { name, network, rules }
}

/** Of `allow`, `deny` and `isolate`; the name is left to be made where there is none. */
export function checkRule(
  spec: unknown,
  action: PolicyRule['action'],
): Omit<Policy, 'name'> & { readonly name: string | undefined } {
  const rule = ruleOf(spec, action, ['name'], '', 'policy')
  const { name } = spec as { readonly name?: unknown }
  const known = name === undefined ? undefined : objectName(name, 'name', longestName)
  const { network, rules } = owned('', [rule], action === 'isolate' ? 'containers' : 'to', spec)
  return { name: known, network, rules }
}

export function checkPolicy(spec: unknown): Policy {
  const given = fields(spec, 'policy', ['name', 'rules'])
  const name = objectName(given['name'], 'name', longestName)
  if (!Array.isArray(given['rules'])) throw invalidType('rules', 'an array of rules', given['rules'])
  const rules = given['rules'].map((rule: unknown, at) => {
    const path = `rules[${at}]`
    if (typeof rule !== 'object' || rule === null) throw invalidType(path, 'an object', rule)
    const action = oneOf((rule as { action?: unknown }).action, `${path}.action`, ['allow', 'deny', 'isolate'] as const)
    return ruleOf(rule, action, ['action'], `${path}.`, path)
  })
  return owned(name, rules, 'rules', given['rules'])
}
