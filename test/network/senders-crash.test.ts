// Processes killed at every step of what they do to a network that asks who sends: whoever gets the dead one's place sends as itself and as
// nobody else, and gc leaves nothing.

import * as assert from 'uvu/assert'
import { createNetwork, gc, type Network, NetworkError, openNetwork } from '../../lib/index.ts'
import { json, kernelState, output, ping, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type Step, type Task, Victims } from './crash/victims.ts'
import { changes } from './support/changes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'

const noStrace = (await run('strace', ['-V']).catch(() => undefined)) === undefined && 'strace is not installed'
const test = suite('a process killed at every step, where the network asks who sends', { limit: 240_000 })

const spec = { name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'], antiSpoofing: true } as const
const place = { addresses: ['10.9.0.9/24', 'fd00:9::1234/64'], mac: '02:11:22:00:00:77' } as const

let victims: Victims
test.before(async () => {
  if (!noStrace) victims = await Victims.create()
})
test.after(async () => {
  if (noStrace) return
  await victims[Symbol.asyncDispose]()
  await sweep()
})

/** Of the dead one's place, whoever they are of. */
async function sendersThere(): Promise<string[]> {
  type Listed = { nftables: { set?: { name: string; elem?: unknown[] } }[] }
  const { nftables } = await json<Listed>('nft', ['list', 'table', 'bridge', 'netlink-ct'])
  return nftables.flatMap(({ set }) =>
    (set?.elem ?? []).flatMap((element) => {
      const text = JSON.stringify(element)
      const value = /,"(\S+?)"\]/.exec(text)?.[1] ?? ''
      return /"v\w+-9"/.test(text) ? [`${set?.name} ${value}${text.includes('lab/heir') ? '' : ' of another'}`] : []
    }),
  )
}

/** As soon as the kernel has let go of the address. */
async function inherit(network: Network, what: string): Promise<void> {
  await until(`the address is free: ${what}`, async () => {
    try {
      await using heir = await network.attach({ name: 'heir', addresses: place.addresses.slice(0, 1) })
      const own = ['senders 02:42:0a:09:00:09', 'senders4 10.9.0.9', 'senders6 fd00:9::9', 'senders6 fe80::42:aff:fe09:9']
      assert.equal((await sendersThere()).sort(), own, what)
      for (const gateway of heir.gateways) assert.ok(await ping(gateway, { netns: { path: heir.netns.path } }), what)
      return true
    } catch (error) {
      if (error instanceof NetworkError && error.code === 'ADDRESS_IN_USE') return false
      throw error
    }
  })
}

interface Scene {
  readonly task: Task
  readonly least: number
  readonly before?: (network: Network) => Promise<unknown>
  readonly after?: (network: Network) => Promise<unknown>
  readonly isCollected?: boolean
}

async function atEveryStep({ task, least, before, after, isCollected = false }: Scene): Promise<void> {
  const network = await createNetwork(spec)
  const alone = await kernelState()
  let steps: readonly Step[] = []
  for (let at = -1; at < steps.length; at++) {
    await before?.(network)
    const step = steps[at]
    if (step === undefined) steps = await victims.killedWhenDone(task)
    else await victims.killedAt(task, step)
    const what = `${task.verb}, ${step ? `killed before ${step.syscall} ${step.at}` : 'killed when it was done'}`
    await after?.(await openNetwork('lab'))
    if (isCollected) await gc({ keep: [] })
    await inherit(await openNetwork('lab'), what)
    await gc({ keep: [] })
    let last: string[] = []
    await until(what, async () => {
      last = changes(alone, await kernelState())
      return last.length === 0
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${last.join('\n')}`)
    })
    assert.equal(await network.check(), [], what)
  }
  assert.ok(steps.length >= least, `${task.verb} changes something in ${steps.length} steps only`)
  await network.delete({ force: true })
}

const attach = { network: 'lab', verb: 'attach', spec: { name: 'dead', ...place } } as const
const attached = (network: Network): Promise<unknown> => network.attach({ name: 'dead', netns: 'box', ...place })

for (const isCollected of [false, true])
  test.skipIf(noStrace, `of an attach${isCollected ? ', collected' : ', its place used at once'}`, () =>
    atEveryStep({ task: attach, least: 6, isCollected }),
  )

test.skipIf(noStrace, 'of a detach, which then succeeds', async () => {
  await output('ip', ['netns', 'add', 'box'])
  try {
    await atEveryStep({
      task: { network: 'lab', verb: 'detach', endpoint: 'dead' },
      least: 3,
      before: attached,
      after: (network) => network.detach('dead'),
    })
  } finally {
    await output('ip', ['netns', 'delete', 'box'])
  }
})

test.skipIf(noStrace, 'of a delete, which then succeeds or is collected', async () => {
  await output('ip', ['netns', 'add', 'box'])
  try {
    const alone = await kernelState()
    const task = { network: 'lab', verb: 'delete' } as const
    let steps: readonly Step[] = []
    for (let at = -1; at < steps.length; at++) {
      const network = await createNetwork(spec)
      await attached(network)
      const step = steps[at]
      if (step === undefined) steps = await victims.killedWhenDone(task)
      else await victims.killedAt(task, step)
      const what = `delete, ${step ? `killed before ${step.syscall} ${step.at}` : 'killed when it was done'}`
      try {
        await (await openNetwork('lab')).delete({ force: true })
      } catch (error) {
        if (!(error instanceof NetworkError && error.code === 'NETWORK_NOT_FOUND')) throw error
        await gc()
      }
      await until(what, async () => changes(alone, await kernelState()).length === 0)
      assert.is(await output('nft', ['list', 'ruleset']), '', what)
    }
    assert.ok(steps.length >= 5, `delete changes something in ${steps.length} steps only`)
  } finally {
    await output('ip', ['netns', 'delete', 'box'])
  }
})

test.skipIf(noStrace, 'of a create, made again next', async () => {
  const alone = await kernelState()
  const task = { verb: 'create', spec } as const
  let steps: readonly Step[] = []
  for (let at = -1; at < steps.length; at++) {
    const step = steps[at]
    if (step === undefined) steps = await victims.killedWhenDone(task)
    else await victims.killedAt(task, step)
    const what = `create, ${step ? `killed before ${step.syscall} ${step.at}` : 'killed when it was done'}`
    const network = await createNetwork(spec)
    assert.equal(await network.check(), [], what)
    await inherit(network, what)
    await network.delete({ force: true })
    await until(what, async () => changes(alone, await kernelState()).length === 0)
    assert.is(await output('nft', ['list', 'ruleset']), '', what)
  }
  assert.ok(steps.length >= 5, `create changes something in ${steps.length} steps only`)
})

test.run()
