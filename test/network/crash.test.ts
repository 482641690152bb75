// Processes killed at every step of attach, publish, unpublish, detach and delete, and at random instants: the containers of others
// serve on, what the dead process left is taken back, and whoever gets a dead container's address never answers at its ports.
//
// A step is a system call that changes something; the process is killed as it enters it, so that all steps before are done and no more.
// What the library sends is done when the call returns, so these are all states that a process can leave but for a death in the middle
// of a call: for those the random instants.

import * as assert from 'uvu/assert'
import { createNetwork, gc, type Network, NetworkError, openNetwork } from '../../lib/index.ts'
import { createLab, kernelState, type Lab, output, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type Knocker, knockFrom } from './crash/knocker.ts'
import { type Lane, type Task, Victims } from './crash/victims.ts'
import { type Resident, settle } from './matrix/resident.ts'
import { changes } from './support/changes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { elementsShown } from './support/witness.ts'

/** More of them: NETLINK_CT_CRASHES=500. */
const randomInstants = Number(process.env['NETLINK_CT_CRASHES'] ?? 40)
const seed = Number(process.env['NETLINK_CT_SEED'] ?? Date.now() % 1_000_000)

const noStrace = (await run('strace', ['-V']).catch(() => undefined)) === undefined && 'strace is not installed'
const keeperPort = 8000
const deadPort = 8080
const deadAddress = '10.9.0.9/24'
const ports = [`${deadPort}:80`, `${deadPort}:53/udp`]
const names = ['keeper', 'box', 'heir', 'heir2'] as const

let lab: Lab
let victims: Victims
let knocker: Knocker
const residents: Resident[] = []
/** The state with the survivors only. */
let alone: Awaited<ReturnType<typeof kernelState>>

async function prepare(): Promise<void> {
  lab = await createLab()
  victims = await Victims.create()
  await output('ip', ['-batch', '-'], { input: names.map((name) => `netns add ${name}`).join('\n') })
  residents.push(...(await Promise.all(names.map((name) => settle(name, name)))))
  knocker = await knockFrom(lab.lan)
}

async function tidy(): Promise<void> {
  await knocker[Symbol.asyncDispose]()
  await victims[Symbol.asyncDispose]()
  await Promise.all(residents.splice(0).map((resident) => resident[Symbol.asyncDispose]()))
  await lab[Symbol.asyncDispose]()
  await output('ip', ['-batch', '-'], { input: names.map((name) => `netns delete ${name}`).join('\n') })
  await sweep()
}

async function equalsAlone(what: string): Promise<void> {
  let last: string[] = []
  // The kernel takes the devices of a namespace away in its own time.
  await until(what, async () => {
    last = changes(alone, await kernelState())
    return last.length === 0
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${last.join('\n')}`)
  })
}

/** Gives the address to a container that publishes nothing, as soon as the kernel has let go of it. */
async function inherit(network: Network, address: string, netns: string): Promise<() => Promise<void>> {
  let release: (() => Promise<void>) | undefined
  await until(`${address} is free`, async () => {
    try {
      const heir = await network.attach({ name: netns, netns, addresses: [address] })
      release = () => heir.detach()
      return true
    } catch (error) {
      if (error instanceof NetworkError && error.code === 'ADDRESS_IN_USE') return false
      throw error
    }
  })
  return async () => release?.()
}

const nobodyInherits = (heard: readonly string[], what: string): void =>
  assert.equal(
    heard.filter((line) => line.startsWith('heir')),
    [],
    what,
  )

interface Scene {
  readonly task: Task
  /** System calls that it must at least make, so that a change that hides them is noticed. */
  readonly steps: Readonly<Record<string, number>>
  readonly before?: () => Promise<unknown>
  /** What whoever comes later does, with the network found again. */
  readonly after?: (network: Network, what: string) => Promise<unknown>
  /** Before the address of the dead container is used again; else after it. @defaultValue true */
  readonly isCollected?: boolean
}

async function atEveryStep({ task, steps, before, after, isCollected = true }: Scene): Promise<void> {
  const counts: string[] = []
  for (const [syscall, least] of Object.entries(steps)) {
    let at = 1
    for (let killed = true; killed; at++) {
      await before?.()
      await knocker.knock(lab.hostLanAddress, deadPort)
      killed = await victims.killedAt(task, syscall, at)
      const what = `${task.verb}, ${killed ? `killed before ${syscall} ${at}` : 'killed when it was done'}`
      const network = await openNetwork('lab')
      await after?.(network, what)
      if (isCollected) {
        await gc({ keep: ['lab/keeper'] })
        await equalsAlone(`${what}, and collected`)
      }
      const release = await inherit(network, deadAddress, 'heir')
      const { heard, rest } = await knocker.rest(keeperPort)
      nobodyInherits(heard, what)
      assert.is(rest, 'keeper', `the survivor serves: ${what}`)
      await release()
      if (!isCollected) await gc({ keep: ['lab/keeper'] })
      await equalsAlone(what)
    }
    counts.push(`${at - 2} × ${syscall}`)
    assert.ok(at - 2 >= least, `${task.verb} makes ${at - 2} of ${syscall}`)
  }
  console.log(`${task.verb}: ${counts.join(', ')}`)
}

{
  const test = suite('a process killed at every step', { limit: 240_000 + 2_000 * randomInstants })
  let network: Network
  test.before(async () => {
    if (noStrace) return
    await prepare()
    network = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
    await network.attach({ name: 'keeper', netns: 'keeper', addresses: ['10.9.0.100/24'], publish: [`${keeperPort}:80`] })
    alone = await kernelState()
  })
  test.after(async () => {
    if (noStrace) return
    await network.delete({ force: true })
    await tidy()
  })

  const attached = (publish: readonly string[]) => () =>
    network.attach({ name: 'dead', netns: 'box', addresses: [deadAddress], publish })
  const detachByName = (found: Network): Promise<void> => found.detach('dead')

  for (const isCollected of [false, true]) {
    test.skipIf(
      noStrace,
      `of an attach that makes the namespace${isCollected ? ', collected' : ', its address used at once'}`,
      () =>
        atEveryStep({
          task: { network: 'lab', verb: 'attach', spec: { name: 'dead', addresses: [deadAddress], publish: ports } },
          steps: { unshare: 1, sendto: 6 },
          isCollected,
        }),
    )
  }

  test.skipIf(noStrace, 'of an attach into a namespace that lives on', () =>
    atEveryStep({
      task: { network: 'lab', verb: 'attach', spec: { name: 'dead', netns: 'box', addresses: [deadAddress], publish: ports } },
      steps: { openat: 2, sendto: 6 },
    }),
  )

  test.skipIf(noStrace, 'of a publish, which then succeeds', () =>
    atEveryStep({
      task: { network: 'lab', verb: 'publish', endpoint: 'dead', ports },
      steps: { sendto: 3 },
      before: attached([]),
      after: async (found, what) => {
        await (await found.endpoint('dead')).publish(ports)
        assert.is((await knocker.rest(deadPort)).rest, 'box', what)
        await knocker.knock(lab.hostLanAddress, deadPort)
        await detachByName(found)
      },
    }),
  )

  test.skipIf(noStrace, 'of an unpublish, which then succeeds', () =>
    atEveryStep({
      task: { network: 'lab', verb: 'unpublish', endpoint: 'dead', ports },
      steps: { sendto: 5 },
      before: attached(ports),
      after: async (found, what) => {
        await (await found.endpoint('dead')).unpublish(ports)
        assert.equal(
          (await elementsShown('ports4')).filter((line) => line.includes('lab/dead')),
          [],
          what,
        )
        await detachByName(found)
      },
    }),
  )

  test.skipIf(noStrace, 'of an unpublish, its container detached next', () =>
    atEveryStep({
      task: { network: 'lab', verb: 'unpublish', endpoint: 'dead', ports: ports.slice(0, 1) },
      steps: { sendto: 5 },
      before: attached(ports),
      after: detachByName,
      isCollected: false,
    }),
  )

  test.skipIf(noStrace, 'of a detach', () =>
    atEveryStep({
      task: { network: 'lab', verb: 'detach', endpoint: 'dead' },
      steps: { sendto: 5 },
      before: attached(ports),
      after: detachByName,
    }),
  )

  test.skipIf(noStrace, 'and a client that waits for a container while it is detached does not reach the next one', async () => {
    await attached(ports)()
    await output('nft', ['-f', '-'], {
      netns: 'box',
      input: 'table ip mute { chain input { type filter hook input priority 0; policy drop; }; }',
    })
    await using client = await settle('lan', lab.lan)
    const asked = client.ask({ protocol: 'tcp', address: lab.hostLanAddress, port: deadPort }, 20_000)
    const waits = async (): Promise<boolean> =>
      (await output('conntrack', ['-L', '-p', 'tcp', '--dport', String(deadPort)])).includes('SYN_SENT')
    await until('the client waits', waits)
    await detachByName(network)
    const release = await inherit(network, deadAddress, 'heir')
    assert.is(await asked, undefined)
    await release()
    await output('nft', ['delete', 'table', 'ip', 'mute'], { netns: 'box' })
  })

  test.skipIf(noStrace, `at ${randomInstants} random instants (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    const lanes: readonly Lane[] = [
      { address: deadAddress, port: '8080' },
      { address: '10.9.0.10/24', port: '8081', netns: 'box' },
    ]
    const task: Task = { network: 'lab', verb: 'churn', lanes }
    for (let at = 0; at < randomInstants; at++) {
      const milliseconds = random() * 60
      const what = `kill ${at} after ${milliseconds.toFixed(1)} ms`
      await knocker.knock(lab.hostLanAddress, ...lanes.map(({ port }) => Number(port)))
      await victims.killedAfter(task, milliseconds)
      const found = await openNetwork('lab')
      // By turns, so that also what nobody collected is inherited.
      if (at % 2 === 0) await gc({ keep: ['lab/keeper'] })
      else await found.detach('lane1')
      const releases = await Promise.all(lanes.map(({ address }, lane) => inherit(found, address, names[2 + lane] ?? '')))
      const { heard, rest } = await knocker.rest(keeperPort)
      nobodyInherits(heard, what)
      assert.is(rest, 'keeper', what)
      await Promise.all(releases.map((release) => release()))
      await gc({ keep: ['lab/keeper'] })
      if (at % 10 === 9 || at === randomInstants - 1) await equalsAlone(what)
    }
  })

  test.run()
}

{
  const test = suite('a process killed at every step of a delete', { limit: 240_000 + 2_000 * randomInstants })
  test.before(async () => {
    if (!noStrace) await prepare()
  })
  test.after(async () => {
    if (!noStrace) await tidy()
  })

  const doomed = { name: 'doomed', subnets: ['10.8.0.0/24', 'fd00:8::/64'] } as const
  const address = '10.8.0.9/24'

  async function atEveryStepOfDelete(least: number): Promise<void> {
    alone = await kernelState()
    for (const [syscall, fewest] of [
      ['sendto', least],
      ['openat', 0],
    ] as const) {
      let at = 1
      for (let killed = true; killed; at++) {
        const made = await createNetwork(doomed)
        await made.attach({ name: 'dead', netns: 'box', addresses: [address], publish: ports })
        await knocker.knock(lab.hostLanAddress, deadPort)
        killed = await victims.killedAt({ network: 'doomed', verb: 'delete' }, syscall, at)
        const what = `delete, ${killed ? `killed before ${syscall} ${at}` : 'killed when it was done'}`
        try {
          await (await openNetwork('doomed')).delete({ force: true })
        } catch (error) {
          if (!(error instanceof NetworkError && error.code === 'NETWORK_NOT_FOUND')) throw error
          await gc()
        }
        await equalsAlone(what)
        const again = await createNetwork(doomed)
        const release = await inherit(again, address, 'heir')
        await again.attach({ name: 'keeper', netns: 'keeper', publish: [`${keeperPort + 1}:80`] })
        const { heard, rest } = await knocker.rest(keeperPort + 1)
        nobodyInherits(heard, what)
        assert.is(rest, 'keeper', what)
        await release()
        await again.delete({ force: true })
      }
      console.log(`delete: ${at - 2} × ${syscall}`)
      assert.ok(at - 2 >= fewest)
    }
  }

  test.skipIf(noStrace, 'when it is the last network: the table and the host’s forwarding go too', () => atEveryStepOfDelete(8))

  test.run()
}

/** mulberry32 */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
