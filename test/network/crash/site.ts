// The place where processes are killed: a lab with a network `lab` and a container in it that survives everything, empty namespaces for those
// that die and for those that get their addresses next, and a client on the LAN that knocks at their ports all the time.

import * as assert from 'uvu/assert'
import {
  createNetwork,
  type Endpoint,
  gc,
  type LanNetworkSpec,
  type Netns,
  type Network,
  NetworkError,
  type NetworkSpec,
  openNetns,
  openNetwork,
} from '../../../lib/index.ts'
import { createLab, type KernelState, kernelState, type Lab, output, run } from '../../support/lab.ts'
import { type Resident, settle } from '../matrix/resident.ts'
import { changes } from '../support/changes.ts'
import { addIpv6, around } from '../support/dual-world.ts'
import { sweep } from '../support/sweep.ts'
import { until } from '../support/until.ts'
import { pick } from './extent.ts'
import { type Knocker, knockFrom } from './knocker.ts'
import { type Step, type Task, Victims } from './victims.ts'

/** Of those that live in them, each with a server that says its name. */
const places = ['keeper', 'box', 'box2', 'heir', 'heir2'] as const
type Place = (typeof places)[number]

export type Driver = 'bridge' | 'ptp' | 'macvlan' | 'ipvlan'
export type Families = 'IPv4' | 'IPv6' | 'IPv4 and IPv6'

/** Of the host, that leads to the container that survives. */
const keeperPort = 8000

export interface Dead {
  readonly name: string
  readonly addresses: readonly string[]
  readonly publish?: readonly string[]
}

export interface Scene {
  readonly task: Task
  /** How many it must at least have that change something, so that a change that hides them is noticed. */
  readonly steps: number
  /** Those that it is about; their addresses are used again. */
  readonly dead?: readonly Dead[]
  readonly before?: () => Promise<unknown>
  /** What whoever comes later does, with the network found again. */
  readonly after?: (network: Network, what: string) => Promise<unknown>
  /** Before the address of the dead container is used again; else after it. @defaultValue true */
  readonly isCollected?: boolean
}

export class Site implements AsyncDisposable {
  readonly driver: Driver
  readonly families: Families
  readonly lab: Lab
  readonly victims: Victims
  readonly knocker: Knocker
  readonly namespaces: Readonly<Record<Place, Netns>>
  readonly #residents: readonly Resident[]
  /** With the survivors only: of the host, and inside. */
  #alone: readonly KernelState[] = []
  #network: Network | undefined

  private constructor(
    parts: Pick<Site, 'driver' | 'families' | 'lab' | 'victims' | 'knocker' | 'namespaces'> & { residents: Resident[] },
  ) {
    this.driver = parts.driver
    this.families = parts.families
    this.lab = parts.lab
    this.victims = parts.victims
    this.knocker = parts.knocker
    this.namespaces = parts.namespaces
    this.#residents = parts.residents
  }

  static async create(driver: Driver, families: Families): Promise<Site> {
    const lab = await createLab()
    if (families !== 'IPv4') await addIpv6()
    await output('ip', ['-batch', '-'], { input: places.map((name) => `netns add ${name}`).join('\n') })
    // As an attach leaves it.
    for (const netns of places) await output('ip', ['link', 'set', 'lo', 'up'], { netns })
    const [victims, knocker, opened, residents] = await Promise.all([
      Victims.create(),
      knockFrom(lab.lan),
      Promise.all(places.map(async (name) => [name, await openNetns(name)] as const)),
      Promise.all(places.map((name) => settle(name, name))),
    ])
    const namespaces = Object.fromEntries(opened) as Record<Place, Netns>
    return new Site({ driver, families, lab, victims, knocker, namespaces, residents })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network?.delete({ force: true })
    await this.knocker[Symbol.asyncDispose]()
    await this.victims[Symbol.asyncDispose]()
    await Promise.all(this.#residents.map((resident) => resident[Symbol.asyncDispose]()))
    await Promise.all(Object.values(this.namespaces).map((netns) => netns.close()))
    await this.lab[Symbol.asyncDispose]()
    await output('ip', ['-batch', '-'], { input: places.map((name) => `netns delete ${name}`).join('\n') })
    await sweep()
  }

  /** Where the client knocks: at the host's ports; on a wire at the survivor itself. */
  get doors(): string[] {
    if (this.#isOnWire) return this.addresses(100).map((address) => address.split('/')[0] ?? '')
    return [...(this.has(4) ? [around[4].hostLan] : []), ...(this.has(6) ? [around[6].hostLan] : [])]
  }

  has(version: 4 | 6): boolean {
    return this.families.includes(`IPv${version}`)
  }

  get #isOnWire(): boolean {
    return this.driver === 'macvlan' || this.driver === 'ipvlan'
  }

  get #subnets(): string[] {
    const [four, six] = this.#isOnWire ? ['192.0.2.0/24', '2001:db8:1::/64'] : ['10.9.0.0/24', 'fd00:9::/64']
    return [...(this.has(4) ? [four] : []), ...(this.has(6) ? [six] : [])]
  }

  /** Of a container, in each family, by what follows the subnet. */
  addresses(four: number, six: number | string = four): string[] {
    return this.#subnets.map((subnet) =>
      subnet.includes(':') ? subnet.replace('/', `${six}/`) : subnet.replace('0/', `${four}/`),
    )
  }

  get spec(): NetworkSpec | LanNetworkSpec {
    const { driver } = this
    const common = { name: 'lab', subnets: this.#subnets }
    if (driver === 'bridge' || driver === 'ptp') return { ...common, driver }
    const gateways = [...(this.has(4) ? [around[4].lan] : []), ...(this.has(6) ? [around[6].lan] : [])]
    return { ...common, driver, parent: 'lan0', gateways }
  }

  /** With the survivor; the state of the kernel from now on is that to come back to. */
  async settle(): Promise<void> {
    this.#network = await createNetwork(this.spec)
    await this.keep(this.#network)
    await this.remember()
  }

  get network(): Network {
    if (this.#network === undefined) throw new Error('nothing has been settled here')
    return this.#network
  }

  /** The survivor, or one like it in another network. */
  async keep(network: Network): Promise<Endpoint> {
    const publish = this.#isOnWire ? [] : [`${keeperPort}:80`]
    const spec = { name: 'keeper', netns: this.namespaces.keeper, addresses: this.addresses(100) }
    return network.attach(publish.length === 0 ? spec : { ...spec, publish })
  }

  async remember(): Promise<void> {
    this.#alone = await this.#state()
  }

  #state(): Promise<KernelState[]> {
    return Promise.all([kernelState(), kernelState('box'), kernelState('box2')])
  }

  async equalsAlone(what: string): Promise<void> {
    let last: string[] = []
    // The kernel takes the devices of a namespace away in its own time.
    await until(what, async () => {
      last = changes(this.#alone, await this.#state())
      return last.length === 0
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${last.join('\n')}`)
    })
  }

  /** After a test, which may have failed: so that the next one begins with what it should. */
  async clear(): Promise<void> {
    await gc({ keep: ['lab/keeper'] })
    const types = ['blackhole', 'unreachable']
    const flush = (netns: string): Promise<unknown>[] =>
      types.flatMap((type) => [4, 6].map((version) => run('ip', [`-${version}`, 'route', 'flush', 'type', type], { netns })))
    await Promise.all(['box', 'box2'].flatMap(flush))
  }

  /** Gives the addresses to a container that publishes nothing, as soon as the kernel has let go of them. */
  async inherit(network: Network, addresses: readonly string[], place: 'heir' | 'heir2' = 'heir'): Promise<() => Promise<void>> {
    let release: (() => Promise<void>) | undefined
    await until(`${addresses} is free`, async () => {
      try {
        const heir = await network.attach({ name: place, netns: this.namespaces[place], addresses })
        release = () => heir.detach()
        return true
      } catch (error) {
        if (error instanceof NetworkError && error.code === 'ADDRESS_IN_USE') return false
        throw error
      }
    })
    return async () => release?.()
  }

  async knock(...ports: readonly number[]): Promise<void> {
    await this.knocker.knock(this.doors, ...ports)
  }

  /** Nobody who inherited an address was heard, and the survivor serves. */
  async serves(what: string): Promise<void> {
    const { heard, rest } = await this.knocker.rest(this.#isOnWire ? 80 : keeperPort)
    assert.equal(
      heard.filter((line) => line.startsWith('heir')),
      [],
      what,
    )
    assert.equal(
      rest,
      this.doors.map(() => 'keeper'),
      `the survivor serves: ${what}`,
    )
  }

  async atEveryStep(name: string, scene: Scene): Promise<void> {
    const steps = await this.#killed(scene, 'done')
    for (const step of steps) await this.#killed(scene, step)
    console.log(`${name}: ${steps.map(({ syscall, at }) => `${syscall} ${at}`).join(', ')}`)
    assert.ok(steps.length >= scene.steps, `${name} changes something in ${steps.length} steps only`)
  }

  /** That chance chooses. */
  async atOneStep(scene: Scene): Promise<void> {
    await this.#killed(scene, pick(await this.#killed(scene, 'done')))
  }

  /** Resolves to the steps that it would have gone, if it was not killed before. */
  async #killed({ task, dead = [], before, after, isCollected = true }: Scene, step: Step | 'done'): Promise<readonly Step[]> {
    await before?.()
    await this.knock(...dead.flatMap(({ publish: [port] = [] }) => (port === undefined ? [] : Number(port.split(':')[0]))))
    const steps = step === 'done' ? await this.victims.killedWhenDone(task) : []
    const isEarly = step !== 'done' && (await this.victims.killedAt(task, step))
    const what = `${task.verb}, ${isEarly ? `killed before ${step.syscall} ${step.at}` : 'killed when it was done'}`
    const network = await openNetwork('lab')
    await after?.(network, what)
    if (isCollected) {
      await gc({ keep: ['lab/keeper'] })
      await this.equalsAlone(`${what}, and collected`)
    }
    const heirs = ['heir', 'heir2'] as const
    const releases = await Promise.all(dead.map(({ addresses }, of) => this.inherit(network, addresses, heirs[of])))
    await this.serves(what)
    await Promise.all(releases.map((release) => release()))
    if (!isCollected) await gc({ keep: ['lab/keeper'] })
    await this.equalsAlone(what)
    return steps
  }
}
