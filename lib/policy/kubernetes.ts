// NetworkPolicy objects of Kubernetes (networking.k8s.io/v1) in the words of policies here.

import { fields, integer, invalidType, invalidValue, list, oneOf } from '../invalid.ts'
import { objectName } from '../names.ts'
import type { ContainersPeer, Direction, LabelCondition, Peer } from './policy.ts'
import { longestName, type PolicyRuleSpec, type PolicySpec } from './spec.ts'

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | (string & {})
    readonly values?: readonly string[]
  }[]
}

interface KubernetesPeer {
  readonly podSelector?: LabelSelector
  readonly namespaceSelector?: LabelSelector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

interface KubernetesPort {
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP' | (string & {})
  readonly port?: number | string
  readonly endPort?: number
}

/** As YAML or JSON of it reads; what is not about the policy itself is not looked at. */
export interface KubernetesNetworkPolicy {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown }
  readonly spec: {
    readonly podSelector?: LabelSelector
    readonly policyTypes?: readonly ('Ingress' | 'Egress' | (string & {}))[]
    readonly ingress?: readonly { readonly from?: readonly KubernetesPeer[]; readonly ports?: readonly KubernetesPort[] }[]
    readonly egress?: readonly { readonly to?: readonly KubernetesPeer[]; readonly ports?: readonly KubernetesPort[] }[]
  }
}

export interface KubernetesOptions {
  /** The network of the policy's namespace. */
  readonly network: string
  /** The networks of namespaces that a selector means, by their labels. @defaultValue none, so that `namespaceSelector` is refused */
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The numbers of ports with names: `{ http: 8080 }`. @defaultValue none, so that names are refused */
  readonly ports?: Readonly<Record<string, number>>
}

type Labels = Readonly<Record<string, LabelCondition>>

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

function conditionOf(operator: (typeof operators)[number], values: readonly string[]): LabelCondition {
  switch (operator) {
    case 'In':
      return values
    case 'NotIn':
      return { not: values }
    case 'Exists':
      return true
    case 'DoesNotExist':
      return false
  }
}

function labelsOf(selector: unknown, path: string): Labels {
  const given = fields(selector, path, ['matchLabels', 'matchExpressions'])
  const found = new Map<string, LabelCondition>()
  const add = (key: string, condition: LabelCondition, place: string): void => {
    if (found.has(key)) throw invalidValue(place, 'is the second condition of a label: say both in one', key)
    found.set(key, condition)
  }
  const labels = given['matchLabels'] ?? {}
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels))
    throw invalidType(`${path}.matchLabels`, 'an object', labels)
  for (const [key, value] of Object.entries(labels)) {
    if (typeof value !== 'string') throw invalidType(`${path}.matchLabels['${key}']`, 'a text', value)
    add(key, value, `${path}.matchLabels`)
  }
  for (const [at, one] of list(given['matchExpressions'] ?? [], `${path}.matchExpressions`).entries()) {
    const place = `${path}.matchExpressions[${at}]`
    const { key, operator, values = [] } = fields(one, place, ['key', 'operator', 'values'])
    if (typeof key !== 'string') throw invalidType(`${place}.key`, 'a text', key)
    const word = oneOf(operator, `${place}.operator`, operators)
    const texts = list(values, `${place}.values`).map((value, index) => {
      if (typeof value !== 'string') throw invalidType(`${place}.values[${index}]`, 'a text', value)
      return value
    })
    if ((word === 'In' || word === 'NotIn') !== texts.length > 0)
      throw invalidValue(`${place}.values`, word === 'In' || word === 'NotIn' ? 'must have a value' : 'must have none', values)
    add(key, conditionOf(word, texts), place)
  }
  return Object.fromEntries(found)
}

const containers = (network: string, labels: Labels): ContainersPeer =>
  Object.keys(labels).length === 0 ? { network } : { network, labels }

const fits = (own: Readonly<Record<string, string>>, wanted: Labels): boolean =>
  Object.entries(wanted).every(([key, condition]) => {
    const value = Object.hasOwn(own, key) ? own[key] : undefined
    if (typeof condition === 'boolean') return (value !== undefined) === condition
    if (typeof condition === 'object' && 'not' in condition) return value === undefined || ![condition.not].flat().includes(value)
    return value !== undefined && [condition].flat().includes(value)
  })

function peersOf(value: unknown, path: string, { network, namespaces }: KubernetesOptions): Peer[] {
  const { podSelector, namespaceSelector, ipBlock } = fields(value, path, ['podSelector', 'namespaceSelector', 'ipBlock'])
  if (ipBlock !== undefined) {
    if (podSelector !== undefined || namespaceSelector !== undefined)
      throw invalidValue(path, 'must have an ipBlock or selectors, not both', value)
    fields(ipBlock, `${path}.ipBlock`, ['cidr', 'except'])
    return [ipBlock as Peer]
  }
  if (podSelector === undefined && namespaceSelector === undefined)
    throw invalidValue(path, 'must have a podSelector, a namespaceSelector or an ipBlock', value)
  const labels = podSelector === undefined ? {} : labelsOf(podSelector, `${path}.podSelector`)
  if (namespaceSelector === undefined) return [containers(network, labels)]
  const wanted = labelsOf(namespaceSelector, `${path}.namespaceSelector`)
  if (namespaces === undefined)
    throw invalidValue(`${path}.namespaceSelector`, 'needs options.namespaces: the labels of networks', namespaceSelector)
  return Object.entries(namespaces)
    .filter(([, own]) => fits(own, wanted))
    .map(([name]) => containers(name, labels))
}

function portOf(value: unknown, path: string, numbers: KubernetesOptions['ports']): string {
  const { protocol = 'TCP', port, endPort } = fields(value, path, ['protocol', 'port', 'endPort'])
  const word = oneOf(protocol, `${path}.protocol`, ['TCP', 'UDP', 'SCTP']).toLowerCase()
  if (port === undefined) {
    if (endPort !== undefined) throw invalidValue(`${path}.endPort`, 'needs a port', endPort)
    return word
  }
  if (typeof port === 'string') {
    const number = numbers !== undefined && Object.hasOwn(numbers, port) ? numbers[port] : undefined
    if (number === undefined) throw invalidValue(`${path}.port`, 'is a name: options.ports must have its number', port)
    if (endPort !== undefined) throw invalidValue(`${path}.endPort`, 'needs a port that is a number', endPort)
    return `${number}/${word}`
  }
  const first = integer(port, `${path}.port`, 1, 65535)
  return endPort === undefined ? `${first}/${word}` : `${first}-${integer(endPort, `${path}.endPort`, first, 65535)}/${word}`
}

interface Wing {
  readonly direction: Direction
  /** Of its peers. */
  readonly peers: 'from' | 'to'
}

/** What one of ingress and egress lets through. */
function openings(
  entries: unknown,
  path: string,
  { direction, peers }: Wing,
  own: ContainersPeer,
  options: KubernetesOptions,
): PolicyRuleSpec[] {
  return list(entries, path).flatMap((entry, at): PolicyRuleSpec[] => {
    const place = `${path}[${at}]`
    const given = fields(entry, place, [peers, 'ports'])
    const others = given[peers] === undefined ? [] : list(given[peers], `${place}.${peers}`)
    const ports = given['ports'] === undefined ? [] : list(given['ports'], `${place}.ports`)
    // Nobody named is everybody; selectors that mean no network here are nobody.
    const who =
      others.length === 0
        ? ['any' as const]
        : others.flatMap((one, index) => peersOf(one, `${place}.${peers}[${index}]`, options))
    if (who.length === 0) return []
    const numbers = ports.map((port, index) => portOf(port, `${place}.ports[${index}]`, options.ports))
    const ends = peers === 'from' ? { from: who, to: own } : { from: own, to: who }
    return [{ action: 'allow', ...ends, ...(numbers.length === 0 ? {} : { ports: numbers }), direction }]
  })
}

/**
 * A NetworkPolicy of Kubernetes for `applyPolicy`: its pods are the containers of the network by their labels, isolated in the directions of
 * its `policyTypes` but for what it lets through. A namespace is a network, which `options.namespaces` finds by labels.
 *
 * Throws for what is malformed, with the path in the object (`spec.ingress[0].from[1]`).
 */
export function policyFromKubernetes(policy: KubernetesNetworkPolicy, options: KubernetesOptions): PolicySpec {
  fields(options, 'options', ['network', 'namespaces', 'ports'])
  const network = objectName(options.network, 'options.network', 32)
  const given = fields(policy, 'policy', ['apiVersion', 'kind', 'metadata', 'spec', 'status'])
  if (given['kind'] !== undefined && given['kind'] !== 'NetworkPolicy')
    throw invalidValue('kind', "must be 'NetworkPolicy'", given['kind'])
  const { metadata } = given
  if (typeof metadata !== 'object' || metadata === null) throw invalidType('metadata', 'an object with a name', metadata)
  const spec = fields(given['spec'], 'spec', ['podSelector', 'policyTypes', 'ingress', 'egress'])
  const own = containers(network, labelsOf(spec['podSelector'] ?? {}, 'spec.podSelector'))
  const types =
    spec['policyTypes'] === undefined
      ? ['Ingress', ...(spec['egress'] === undefined ? [] : ['Egress'])]
      : list(spec['policyTypes'], 'spec.policyTypes').map((type, at) =>
          oneOf(type, `spec.policyTypes[${at}]`, ['Ingress', 'Egress']),
        )
  const wing = (type: 'Ingress' | 'Egress'): PolicyRuleSpec[] => {
    if (!types.includes(type)) return []
    const direction = type === 'Ingress' ? 'ingress' : 'egress'
    const entries = spec[direction] ?? []
    const isolate: PolicyRuleSpec = { action: 'isolate', containers: own, direction }
    return [
      isolate,
      ...openings(entries, `spec.${direction}`, { direction, peers: type === 'Ingress' ? 'from' : 'to' }, own, options),
    ]
  }
  const name = objectName((metadata as { readonly name?: unknown }).name, 'metadata.name', longestName)
  return { name, rules: [...wing('Ingress'), ...wing('Egress')] }
}
