// chain forward { type filter hook forward priority filter; policy accept; }

import { type Fields, fields, integer, invalidValue, name, oneOf } from '../../../invalid.ts'
import type { KernelObject } from '../../message.ts'
import type { Family, Hook } from '../../schema.ts'
import { commentUserdata } from '../../userdata.ts'
import { place } from './place.ts'
import { handle } from './table.ts'

const known = ['family', 'table', 'name', 'comment', 'handle', 'type', 'hook', 'prio', 'dev', 'policy']

/** NF_INET_*, NF_ARP_*, NF_NETDEV_*. */
const inetHooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4, ingress: 5 }
export const hooks: Record<Family, Partial<Record<Hook, number>>> = {
  inet: inetHooks,
  ip: inetHooks,
  ip6: inetHooks,
  bridge: inetHooks,
  arp: { input: 0, output: 1 },
  netdev: { ingress: 0, egress: 1 },
}
export const policies = { drop: 0, accept: 1 } as const

export function chainBody(value: unknown, path: string): KernelObject {
  const given = fields(value, path, known)
  const { family, body } = place(given, path)
  const comment = given['comment']
  return {
    ...body,
    name: name(given['name'], `${path}.name`),
    ...base(given, family, path),
    ...(comment !== undefined && { userdata: commentUserdata(comment, `${path}.comment`) }),
  }
}

function base(given: Fields, family: Family, path: string): KernelObject {
  const parts = ['type', 'hook', 'prio'].filter((key) => given[key] !== undefined)
  if (parts.length === 0) {
    for (const key of ['policy', 'dev']) {
      if (given[key] !== undefined) throw invalidValue(`${path}.${key}`, 'needs type, hook and prio', given[key])
    }
    return {}
  }
  if (parts.length < 3) throw invalidValue(path, 'must have all of type, hook and prio, or none', parts)
  const numbers = hooks[family]
  const hook = oneOf(given['hook'], `${path}.hook`, Object.keys(numbers) as Hook[])
  const priority = integer(given['prio'], `${path}.prio`, -(2 ** 31), 2 ** 31 - 1)
  const device = given['dev'] === undefined ? {} : devices(given['dev'], `${path}.dev`)
  const policy =
    given['policy'] === undefined ? undefined : policies[oneOf(given['policy'], `${path}.policy`, ['accept', 'drop'])]
  return {
    type: oneOf(given['type'], `${path}.type`, ['filter', 'nat', 'route']),
    hook: { number: numbers[hook] ?? 0, priority, ...device },
    ...(policy !== undefined && { policy }),
  }
}

/** A name, or several of a netdev chain. */
function devices(value: unknown, path: string): KernelObject {
  if (!Array.isArray(value)) return { device: name(value, path) }
  if (value.length === 0) throw invalidValue(path, 'must name a device', value)
  return { devices: value.map((device, index) => name(device, `${path}[${index}]`)) }
}

export function chainReference(value: unknown, path: string): KernelObject {
  const given = fields(value, path, known)
  const { body } = place(given, path)
  const reference = { ...body, name: name(given['name'], `${path}.name`) }
  return given['handle'] === undefined ? reference : { ...reference, handle: handle(given['handle'], `${path}.handle`) }
}
