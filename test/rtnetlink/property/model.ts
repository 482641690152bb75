// A namespace as it should be: which operation succeeds, with what errno another is refused, and what goes with what is deleted. The
// order of the checks is the library's look-ups first, then the kernel's own (net/core/rtnetlink.c, net/ipv4/fib_semantics.c).

import type { Change, Common, Operation, RouteChange, RuleChange } from './operation.ts'
import { addressLine, type LinkState, neighborLine, type RouteRow, routeLine, ruleLine, type State } from './state.ts'

/** An errno's name; undefined is success. */
export type Code = string | undefined

interface Link {
  name: string
  readonly kind: 'plain' | 'bridge' | 'macvlan' | 'veth'
  up: boolean
  mtu: number
  group: number
  alias: string
  readonly altnames: Set<string>
  master: Link | undefined
  /** Of a macvlan: the device below; of a veth: the other end. */
  other: Link | undefined
  /** Of a bridge: set by somebody, so that ports no longer set it. */
  mtuIsChosen: boolean
  /** In the order in which they came: the first of a network is its primary one. */
  addresses: string[]
  readonly neighbors: Map<string, string>
}

interface Route extends RouteChange {
  readonly link: Link | undefined
}

const isSix = (address: string): boolean => address.includes(':')
/** All networks of the vocabulary end at an octet. */
const networkOf = (address: string): string => {
  const [host = '', length] = address.split('/')
  return length === '32' ? host : `${host.split('.').slice(0, 3).join('.')}.0/${length}`
}

export class Model {
  #links: Link[] = []
  #routes: Route[] = []
  #rules: RuleChange[] = []

  readonly #renamesUp: boolean

  /** Since Linux 6.2 a device may be renamed while it is up. */
  constructor({ renamesUp }: { readonly renamesUp: boolean }) {
    this.#renamesUp = renamesUp
  }

  /** Does it. */
  apply(done: Operation): Code {
    switch (done.verb) {
      case 'createLink':
        return this.#createLink(done)
      case 'createVethPair':
        return this.#createVethPair(done.name, done.peer)
      case 'setLink':
        return this.#setLink(done.link, done.change)
      case 'deleteLink':
        return this.#with(done.link, (link) => this.#delete(link))
      case 'addAddress':
        return this.#with(done.link, (link) => {
          if (link.addresses.includes(done.address)) return 'EEXIST'
          link.addresses.push(done.address)
          return undefined
        })
      case 'deleteAddress':
        return this.#with(done.link, (link) => this.#deleteAddress(link, done.address))
      case 'addRoute':
      case 'replaceRoute':
      case 'changeRoute':
        return this.#putRoute(done.verb, done.route)
      case 'deleteRoute':
        return this.#deleteRoute(done.route)
      case 'addRule':
        if (this.#rules.some((rule) => hasAllOf(rule, done.rule))) return 'EEXIST'
        this.#rules.push(done.rule)
        return undefined
      case 'deleteRule':
        return this.#deleteRule(done.rule)
      case 'addNeighbor':
      case 'replaceNeighbor':
        return this.#with(done.link, (link) => {
          if (done.verb === 'addNeighbor' && link.neighbors.has(done.address)) return 'EEXIST'
          link.neighbors.set(done.address, done.mac)
          return undefined
        })
      case 'deleteNeighbor':
        return this.#with(done.link, (link) => (link.neighbors.delete(done.address) ? undefined : 'ENOENT'))
    }
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined
  }

  state(plain: string): State {
    const links = this.#links
    return {
      links: Object.fromEntries(links.map((link) => [link.name, shown(link, plain)])),
      addresses: links
        .flatMap((link) =>
          link.addresses.map((address) =>
            addressLine(link.name, address, !isSix(address) && primaryOf(link, address) !== address),
          ),
        )
        .sort(),
      routes: [...links.flatMap(connected), ...this.#routes.map(row)].map(routeLine).sort(),
      rules: this.#rules.map(ruleText).sort(),
      neighbors: links
        .flatMap((link) => [...link.neighbors].map(([address, mac]) => neighborLine(link.name, address, mac)))
        .sort(),
    }
  }

  #find(name: string): Link | undefined {
    return this.#links.find((link) => link.name === name || link.altnames.has(name))
  }

  #with(name: string, change: (link: Link) => Code): Code {
    const link = this.#find(name)
    return link === undefined ? 'ENODEV' : change(link)
  }

  #add(name: string, kind: Link['kind'], { mtu = 1500, group = 0, alias = '', up = false }: Common): Link {
    const link: Link = {
      ...{ name, kind, up, mtu, group, alias, altnames: new Set<string>(), master: undefined, other: undefined },
      ...{ mtuIsChosen: false, addresses: [], neighbors: new Map<string, string>() },
    }
    this.#links.push(link)
    return link
  }

  #createLink(spec: Operation & { verb: 'createLink' }): Code {
    const below = spec.link === undefined ? undefined : this.#find(spec.link)
    if (spec.link !== undefined && below === undefined) return 'ENODEV'
    const master = spec.master === undefined ? undefined : this.#find(spec.master)
    if (spec.master !== undefined && master === undefined) return 'ENODEV'
    if (this.has(spec.name)) return 'EEXIST'
    // A macvlan on a macvlan stands on what that one stands on.
    const lower = below?.kind === 'macvlan' ? below.other : below
    if (lower !== undefined) {
      if ((spec.mtu ?? 0) > lower.mtu) return 'EINVAL'
      if (lower.master !== undefined) return 'EBUSY'
    }
    const link = this.#add(spec.name, spec.kind, { ...spec, mtu: spec.mtu ?? lower?.mtu ?? 1500 })
    link.other = lower
    const refusal = master === undefined ? undefined : this.#enslave(link, master)
    if (refusal !== undefined) {
      this.#links.pop()
      return refusal
    }
    if (spec.altname !== undefined) {
      if (this.has(spec.altname)) return this.#delete(link) ?? 'EEXIST'
      link.altnames.add(spec.altname)
    }
    return undefined
  }

  #createVethPair(name: string, peer: string): Code {
    if (this.has(name) || this.has(peer)) return 'EEXIST'
    const [one, other] = [this.#add(name, 'veth', {}), this.#add(peer, 'veth', {})]
    one.other = other
    other.other = one
    return undefined
  }

  #setLink(ref: string, change: Change): Code {
    return this.#with(ref, (link) => {
      if ('master' in change) return this.#setMaster(link, change.master)
      if ('up' in change) return this.#setUp(link, change.up)
      if ('mtu' in change) return this.#setMtu(link, change.mtu)
      if ('name' in change) return this.#rename(link, change.name)
      if ('addAltname' in change) {
        if (this.has(change.addAltname)) return 'EEXIST'
        link.altnames.add(change.addAltname)
        return undefined
      }
      if ('deleteAltname' in change) {
        if (!this.has(change.deleteAltname)) return 'ENOENT'
        return link.altnames.delete(change.deleteAltname) ? undefined : 'EINVAL'
      }
      Object.assign(link, change)
      return undefined
    })
  }

  #rename(link: Link, name: string): Code {
    if (link.up && !this.#renamesUp) return 'EBUSY'
    if (link.name === name) return undefined
    if (this.has(name)) return 'EEXIST'
    link.name = name
    return undefined
  }

  /** The kernel takes it off the old master before it asks the new one. */
  #setMaster(link: Link, ref: string | null): Code {
    const master = ref === null ? undefined : this.#find(ref)
    if (ref !== null && master === undefined) return 'ENODEV'
    if (master !== undefined && link.master === master) return undefined
    this.#release(link)
    return master === undefined ? undefined : this.#enslave(link, master)
  }

  #enslave(link: Link, master: Link): Code {
    if (master.kind !== 'bridge') return 'ENOTSUP'
    if (link.kind === 'bridge') return 'ELOOP'
    if (this.#above(link).length > 0 || reaches(this, master, link)) return 'EBUSY'
    link.master = master
    this.#followPorts(master)
    return undefined
  }

  /** For {@link reaches}: what stands on it or holds it. */
  above(link: Link): readonly Link[] {
    return [...this.#above(link), ...(link.master === undefined ? [] : [link.master])]
  }

  #above(link: Link): readonly Link[] {
    return this.#links.filter((one) => one.kind === 'macvlan' && one.other === link)
  }

  #release(link: Link): void {
    const { master } = link
    link.master = undefined
    if (master !== undefined) this.#followPorts(master)
  }

  /** A bridge is as narrow as its narrowest port, unless somebody chose otherwise. */
  #followPorts(bridge: Link): void {
    if (bridge.mtuIsChosen) return
    const ports = this.#links.filter(({ master }) => master === bridge)
    this.#mtuBecomes(bridge, ports.length === 0 ? 1500 : Math.min(...ports.map(({ mtu }) => mtu)))
  }

  #setMtu(link: Link, mtu: number): Code {
    if (mtu === link.mtu) return undefined
    if (link.kind === 'macvlan' && link.other !== undefined && mtu > link.other.mtu) return 'EINVAL'
    if (link.kind === 'bridge') link.mtuIsChosen = true
    this.#mtuBecomes(link, mtu)
    return undefined
  }

  #mtuBecomes(link: Link, mtu: number): void {
    if (link.mtu === mtu) return
    link.mtu = mtu
    for (const one of this.#above(link)) if (one.mtu > mtu) this.#mtuBecomes(one, mtu)
    if (link.master !== undefined) this.#followPorts(link.master)
  }

  #setUp(link: Link, up: boolean): Code {
    if (link.up === up) return undefined
    link.up = up
    if (up) return undefined
    this.#dropRoutes(link)
    link.addresses = link.addresses.filter((address) => !isSix(address))
    link.neighbors.clear()
    return undefined
  }

  #dropRoutes(link: Link): void {
    this.#routes = this.#routes.filter((route) => route.link !== link)
  }

  #delete(link: Link): Code {
    if (!this.#links.includes(link)) return undefined
    this.#links = this.#links.filter((one) => one !== link)
    this.#dropRoutes(link)
    this.#release(link)
    for (const port of this.#links) if (port.master === link) port.master = undefined
    for (const one of this.#above(link)) this.#delete(one)
    if (link.kind === 'veth' && link.other !== undefined) this.#delete(link.other)
    return undefined
  }

  #deleteAddress(link: Link, address: string): Code {
    if (!link.addresses.includes(address)) return 'EADDRNOTAVAIL'
    const goes = (one: string): boolean =>
      one === address ||
      (!isSix(address) && !isSix(one) && primaryOf(link, address) === address && networkOf(one) === networkOf(address))
    link.addresses = link.addresses.filter((one) => !goes(one))
    // With the last IPv4 address goes all of IPv4 on the device (fib_disable_ip).
    if (!isSix(address) && link.addresses.every(isSix)) {
      this.#dropRoutes(link)
      for (const neighbor of link.neighbors.keys()) if (!isSix(neighbor)) link.neighbors.delete(neighbor)
    }
    return undefined
  }

  #putRoute(verb: 'addRoute' | 'replaceRoute' | 'changeRoute', route: RouteChange): Code {
    const link = route.dev === undefined ? undefined : this.#find(route.dev)
    if (route.dev !== undefined && link === undefined) return 'ENODEV'
    if (link !== undefined && !link.up) return 'ENETDOWN'
    const at = this.#routes.findIndex(
      ({ to, metric, table }) => to === route.to && metric === route.metric && table === route.table,
    )
    if (verb === 'addRoute' && at !== -1) return 'EEXIST'
    if (verb === 'changeRoute' && at === -1) return 'ENOENT'
    this.#routes.splice(at === -1 ? this.#routes.length : at, at === -1 ? 0 : 1, { ...route, link })
    return undefined
  }

  /** The first in the order of metrics. */
  #deleteRoute(key: RouteChange): Code {
    const link = key.dev === undefined ? undefined : this.#find(key.dev)
    if (key.dev !== undefined && link === undefined) return 'ENODEV'
    const [first] = this.#routes
      .filter((route) => route.to === key.to && route.table === key.table)
      .filter((route) => (key.metric ?? route.metric) === route.metric && (link ?? route.link) === route.link)
      .sort((one, other) => (one.metric ?? 0) - (other.metric ?? 0))
    if (first === undefined) return 'ESRCH'
    this.#routes = this.#routes.filter((route) => route !== first)
    return undefined
  }

  /** The first that has what is given. */
  #deleteRule(key: RuleChange): Code {
    const at = this.#rules.findIndex((rule) => hasAllOf(rule, key))
    if (at === -1) return 'ENOENT'
    this.#rules.splice(at, 1)
    return undefined
  }
}

const reaches = (model: Model, from: Link, to: Link): boolean =>
  from === to || model.above(from).some((one) => reaches(model, one, to))

const primaryOf = (link: Link, address: string): string | undefined =>
  link.addresses.find((one) => !isSix(one) && networkOf(one) === networkOf(address))

/** The routes that the kernel makes of the primary addresses of a device that is up. */
function connected(link: Link): RouteRow[] {
  if (!link.up) return []
  return link.addresses
    .filter((address) => !isSix(address) && !address.endsWith('/32') && primaryOf(link, address) === address)
    .map((address) => ({
      ...{ to: networkOf(address), table: 254, dev: link.name, via: '', metric: 0 },
      source: address.slice(0, address.indexOf('/')),
    }))
}

const row = ({ to, table, link, via = '', metric = 0 }: Route): RouteRow => ({
  ...{ to, table, dev: link?.name ?? '', via, metric, source: '' },
})

/** To the kernel a selector that is not given matches any, also where it looks for an equal rule. A selector gives the family. */
const hasAllOf = (rule: RuleChange, key: RuleChange): boolean =>
  rule.priority === key.priority &&
  rule.table === key.table &&
  isSix(rule.from ?? '') === isSix(key.from ?? '') &&
  (key.from ?? rule.from) === rule.from

const ruleText = ({ priority, from = 'all', table }: RuleChange): string => ruleLine(priority, from, table)

const shown = (link: Link, plain: string): LinkState => ({
  kind: link.kind === 'plain' ? plain : link.kind,
  up: link.up,
  mtu: link.mtu,
  group: link.group,
  alias: link.alias,
  altnames: [...link.altnames].sort(),
  master: link.master?.name ?? '',
  link: link.other?.name ?? '',
})
