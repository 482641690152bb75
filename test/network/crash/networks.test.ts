// Processes killed while they make or delete the host's only network. Whoever comes next makes it, or deletes what is left of it; and when it
// is gone the host is as it was before: its forwarding, what it hears of routers, no table.

import * as assert from 'uvu/assert'
import { check, createNetwork, gc, type Network, NetworkError, openNetwork } from '../../../lib/index.ts'
import { writeSysctl } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { isFull, noStrace, pick, seed } from './extent.ts'
import { type Driver, type Families, Site } from './site.ts'
import type { Step } from './victims.ts'

const limit = 600_000

/** undefined when there is none. */
async function found(): Promise<Network | undefined> {
  try {
    return await openNetwork('lab')
  } catch (error) {
    if (error instanceof NetworkError && error.code === 'NETWORK_NOT_FOUND') return undefined
    throw error
  }
}

/** All that a process left of the network. */
async function remove(): Promise<void> {
  const network = await found()
  await (network === undefined ? gc() : network.delete({ force: true }))
}

type Next = (what: string) => Promise<unknown>

/** What those who come next may do, each of which must leave nothing. */
function nextOf(site: Site): Readonly<Record<string, Next>> {
  return {
    removed: remove,
    'made again': async (what) => {
      const network = await createNetwork(site.spec)
      await site.keep(network)
      assert.equal(await check(), [], what)
      await site.knock()
      await site.serves(what)
      await network.delete({ force: true })
    },
  }
}

async function atStepsOfCreate(site: Site): Promise<void> {
  for (const [name, next] of Object.entries(nextOf(site))) {
    const killed = async (step: Step | 'done'): Promise<readonly Step[]> => {
      const task = { verb: 'create', spec: site.spec } as const
      const steps = step === 'done' ? await site.victims.killedWhenDone(task) : []
      if (step !== 'done') await site.victims.killedAt(task, step)
      const what = `killed ${step === 'done' ? 'when it was done' : `before ${step.syscall} ${step.at}`}, ${name}`
      await next(what)
      await site.equalsAlone(what)
      return steps
    }
    await atSteps('create', killed)
  }
}

async function atStepsOfDelete(site: Site): Promise<void> {
  const dead = { name: 'dead', addresses: site.addresses(201) }
  const isOnWire = site.driver === 'macvlan' || site.driver === 'ipvlan'
  const killed = async (step: Step | 'done'): Promise<readonly Step[]> => {
    const made = await createNetwork(site.spec)
    await made.attach({ ...dead, netns: site.namespaces.box, ...(isOnWire ? {} : { publish: ['8080:80', '8080:53/udp'] }) })
    await site.knock(8080)
    const task = { network: 'lab', verb: 'delete' } as const
    const steps = step === 'done' ? await site.victims.killedWhenDone(task) : []
    if (step !== 'done') await site.victims.killedAt(task, step)
    const what = `killed ${step === 'done' ? 'when it was done' : `before ${step.syscall} ${step.at}`}`
    await remove()
    await site.equalsAlone(what)
    const again = await createNetwork(site.spec)
    await site.keep(again)
    await site.inherit(again, dead.addresses)
    await site.serves(what)
    await again.delete({ force: true })
    await site.equalsAlone(`${what}, and made again`)
    return steps
  }
  await atSteps('delete', killed)
}

async function atSteps(name: string, killed: (step: Step | 'done') => Promise<readonly Step[]>): Promise<void> {
  const steps = await killed('done')
  for (const step of isFull ? steps : [pick(steps)]) await killed(step)
  console.log(`${name}: ${steps.map(({ syscall, at }) => `${syscall} ${at}`).join(', ')}`)
  assert.ok(steps.length >= 2, `${name} changes something in ${steps.length} steps only`)
}

function describe(driver: Driver, families: Families): void {
  const test = suite(`a process that changes the last network is killed (${driver}, ${families})`, { limit })
  let site: Site
  test.before(async () => {
    if (noStrace) return
    site = await Site.create(driver, families)
    // Listens to routers, which it would not do any more when it forwards.
    if (site.has(6)) await writeSysctl('net/ipv6/conf/wan0/accept_ra', 1)
    await site.remember()
  })
  test.after(async () => {
    if (!noStrace) await site[Symbol.asyncDispose]()
  })
  test.after.each(async () => {
    if (!noStrace) await remove()
  })
  const which = isFull ? 'every step' : `a step that the seed ${seed} chooses`
  test.skipIf(noStrace, `at ${which} of createNetwork`, () => atStepsOfCreate(site))
  test.skipIf(noStrace, `at ${which} of delete`, () => atStepsOfDelete(site))
  test.run()
}

const both = 'IPv4 and IPv6'
const worlds: [Driver, Families][] = [
  ['bridge', both],
  ['ptp', both],
  ['macvlan', both],
]
const others: [Driver, Families][] = [
  ['bridge', 'IPv4'],
  ['bridge', 'IPv6'],
  ['ptp', 'IPv4'],
  ['ptp', 'IPv6'],
]
for (const [driver, families] of isFull ? [...worlds, ...others] : worlds) describe(driver, families)
