// What can be watched: where the kernel tells of it, how the whole of it is read, what one of it is known by.

import { number, optionalNumber, optionalText } from '../../exchange.ts'
import type { Body, Message, News } from '../../native.ts'
import { addressFrom } from '../address.ts'
import * as c from '../constants.ts'
import { linkFrom } from '../link/link.ts'
import { fdbEntryFrom } from '../neighbor/fdb.ts'
import { neighborFrom } from '../neighbor/neighbor.ts'
import { nexthopFrom } from '../route/nexthop.ts'
import { routeFrom } from '../route/route.ts'
import { ruleFrom } from '../route/rule.ts'

/** RTNLGRP_*. */
const group = {
  link: 1,
  neighbor: 3,
  address4: 5,
  route4: 7,
  rule4: 8,
  address6: 9,
  route6: 11,
  rule6: 19,
  nsid: 28,
  nexthop: 32,
} as const

const NTF_SELF = 0x02
const NTF_PROXY = 0x08
const RTM_F_CLONED = 0x200
const RTNL_FAMILY_IPMR = 128

export type Kind = 'link' | 'address' | 'route' | 'rule' | 'neighbor' | 'fdb' | 'nexthop' | 'nsid'

export interface Subject {
  readonly type: Kind
  /** Its place in an event. */
  readonly field: string
  readonly groups: readonly number[]
  /** RTM_NEW…, RTM_DEL… */
  readonly noun: string
  readonly dumps: readonly Message[]
  /** The field by which another namespace's are asked for; absent where the kernel cannot be asked. */
  readonly target?: string
  /** Whether a message is about one of these. */
  readonly concerns: (body: Body) => boolean
  readonly decode: (body: Body) => unknown
  readonly key: (body: Body) => string
  /** Several may share what they are known by: the kernel keeps them in an order that its news don't tell. */
  readonly crowded?: boolean
  /** News of something else after which the kernel may have dropped some of these without a word. */
  readonly disturbs?: (news: News) => boolean
}

const runs = c.IFF_UP | c.IFF_LOWER_UP

const ask = (type: string, body: Body): Message => ({ type, flags: 0, body })
const always = (): boolean => true
const isBridge = (body: Body): boolean => number(body['family']) === c.AF_BRIDGE

/** A device's own filter of multicast addresses, of which the kernel sends no news. */
const isFilter = (body: Body): boolean =>
  (number(body['flags']) & NTF_SELF) !== 0 &&
  optionalText(body['address']) === undefined &&
  (Number.parseInt(optionalText(body['mac']) ?? '', 16) & 1) === 1

const link: Subject = {
  type: 'link',
  field: 'link',
  groups: [group.link],
  noun: 'LINK',
  dumps: [ask('RTM_GETLINK', { extMask: c.RTEXT_FILTER_SKIP_STATS })],
  target: 'targetNetnsid',
  // A bridge tells of its ports in a message of its own, which holds a part of the device only; see State.
  concerns: (body) => !isBridge(body),
  decode: linkFrom,
  key: (body) => String(number(body['index'])),
}

const address: Subject = {
  type: 'address',
  field: 'address',
  groups: [group.address4, group.address6],
  noun: 'ADDR',
  dumps: [ask('RTM_GETADDR', {})],
  target: 'targetNetnsid',
  concerns: always,
  decode: addressFrom,
  key: (body) => {
    const far = optionalText(body['address']) ?? ''
    const local = optionalText(body['local']) ?? far
    return `${number(body['index'])} ${local}/${number(body['prefixLength'])}${far === local ? '' : ` peer ${far}`}`
  },
}

const route: Subject = {
  type: 'route',
  field: 'route',
  groups: [group.route4, group.route6, group.link, group.address4, group.nexthop],
  noun: 'ROUTE',
  dumps: [ask('RTM_GETROUTE', { family: c.AF_INET }), ask('RTM_GETROUTE', { family: c.AF_INET6 })],
  // Neither what the kernel remembers of a destination, nor multicast routing.
  concerns: (body) => (number(body['flags']) & RTM_F_CLONED) === 0 && number(body['family']) < RTNL_FAMILY_IPMR,
  decode: routeFrom,
  key: (body) => {
    const to = `${optionalText(body['to']) ?? 'default'}/${number(body['toLength'])}`
    const from = optionalText(body['from'])
    const table = optionalNumber(body['table']) ?? number(body['headerTable'])
    const place = `${number(body['family'])} ${to}${from === undefined ? '' : ` from ${from}/${number(body['fromLength'])}`}`
    return `${place} table ${table} tos ${number(body['tos'])} metric ${number(body['metric'])}`
  },
  crowded: true,
  // fib_flush() in net/ipv4/fib_frontend.c: the routes over a device that goes down, from an address that goes, by a nexthop that goes.
  disturbs: ({ type, body }) =>
    ['RTM_DELLINK', 'RTM_DELADDR', 'RTM_DELNEXTHOP', 'RTM_NEWNEXTHOP'].includes(type) ||
    (type === 'RTM_NEWLINK' && !isBridge(body) && (number(body['flags']) & c.IFF_UP) === 0),
}

const rule: Subject = {
  type: 'rule',
  field: 'rule',
  groups: [group.rule4, group.rule6],
  noun: 'RULE',
  dumps: [ask('RTM_GETRULE', { family: c.AF_INET }), ask('RTM_GETRULE', { family: c.AF_INET6 })],
  concerns: (body) => number(body['family']) < RTNL_FAMILY_IPMR,
  decode: ruleFrom,
  // A rule has no name: it is what it says.
  key: (body) =>
    Object.entries(ruleFrom(body))
      .flatMap(([name, value]) => [name, JSON.stringify(value)])
      .join(' '),
}

const neighbor: Subject = {
  type: 'neighbor',
  field: 'neighbor',
  groups: [group.neighbor],
  noun: 'NEIGH',
  dumps: [ask('RTM_GETNEIGH', {})],
  concerns: (body) => !isBridge(body) && optionalText(body['address']) !== undefined && (number(body['flags']) & NTF_PROXY) === 0,
  decode: neighborFrom,
  key: (body) => `${number(body['index'])} ${optionalText(body['address'])}`,
}

const fdb: Subject = {
  type: 'fdb',
  field: 'entry',
  groups: [group.neighbor],
  noun: 'NEIGH',
  dumps: [ask('RTM_GETNEIGH', { family: c.AF_BRIDGE })],
  concerns: (body) => isBridge(body) && !isFilter(body),
  decode: fdbEntryFrom,
  key: (body) => {
    const owner = (number(body['flags']) & NTF_SELF) === 0 ? 'master' : 'self'
    const far = [optionalText(body['address']), number(body['port']), number(body['vni']), number(body['via'])].join(' ')
    return `${number(body['index'])} ${optionalText(body['mac'])} ${owner} vlan ${number(body['vlan'])} ${far}`.trimEnd()
  },
}

const nexthop: Subject = {
  type: 'nexthop',
  field: 'nexthop',
  groups: [group.nexthop, group.link],
  noun: 'NEXTHOP',
  dumps: [ask('RTM_GETNEXTHOP', {})],
  concerns: always,
  decode: nexthopFrom,
  key: (body) => String(number(body['id'])),
  // nh_netdev_event() in net/ipv4/nexthop.c: those over a device that goes, goes down or loses its carrier, and groups that they were in.
  disturbs: ({ type, body }) =>
    ['RTM_DELLINK', 'RTM_DELNEXTHOP'].includes(type) ||
    (type === 'RTM_NEWLINK' && !isBridge(body) && (number(body['flags']) & runs) !== runs),
}

const nsid: Subject = {
  type: 'nsid',
  field: 'nsid',
  groups: [group.nsid],
  noun: 'NSID',
  dumps: [ask('RTM_GETNSID', {})],
  target: 'targetNsid',
  concerns: always,
  decode: (body) => number(body['nsid']),
  key: (body) => String(number(body['nsid'])),
}

export const nsidGroup: number = group.nsid

export type SubjectName = 'links' | 'addresses' | 'routes' | 'rules' | 'neighbors' | 'fdb' | 'nexthops' | 'nsids'

/** By the names of the options of watch(). */
export const subjects: Readonly<Record<SubjectName, Subject>> = {
  links: link,
  addresses: address,
  routes: route,
  rules: rule,
  neighbors: neighbor,
  fdb,
  nexthops: nexthop,
  nsids: nsid,
}
