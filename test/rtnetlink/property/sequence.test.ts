// Random sequences of operations against a model of the namespace, with ip(8) as the witness; what fails is shrunk to the few operations
// that it takes.
//
//   NETLINK_CT_SEED=7 NETLINK_CT_RUNS=500 npm test -- property

import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { createNetns, NetlinkError, type Netns } from '../../../lib/index.ts'
import { output, run } from '../../support/command.ts'
import { suite } from '../../support/suite.ts'
import { type Code, Model } from './model.ts'
import { type BatchOperation, beginning, everything, names, type Operation, operation, perform, put } from './operation.ts'
import { observe } from './state.ts'

const seed = Number(process.env['NETLINK_CT_SEED'] ?? Date.now() % 2 ** 31)
const numRuns = Number(process.env['NETLINK_CT_RUNS'] ?? 25)
const test = suite('sequences of operations', { limit: 60_000 + numRuns * 5000 })

/** What the model does not know of this kernel. */
async function probe(): Promise<{ readonly plain: 'dummy' | 'ifb'; readonly renamesUp: boolean }> {
  await using ns = await createNetns()
  const ip = async (...args: string[]): Promise<boolean> => (await run('ip', args, { netns: ns })).code === 0
  await ip('link', 'set', 'lo', 'up')
  return {
    renamesUp: await ip('link', 'set', 'lo', 'name', 'lo0'),
    // A device without anything below or behind it.
    plain: (await ip('link', 'add', 'x0', 'type', 'dummy')) ? 'dummy' : 'ifb',
  }
}
const kernel = await probe()
const { plain } = kernel

async function town(model: Model): Promise<Netns> {
  const ns = await createNetns()
  // Namespaces inherit these from the host.
  for (const place of ['all', 'default']) {
    await ns.setSysctl(`net.ipv4.conf.${place}.promote_secondaries`, 0)
    await ns.setSysctl(`net.ipv6.conf.${place}.disable_ipv6`, 0)
    await ns.setSysctl(`net.ipv6.conf.${place}.keep_addr_on_down`, 0)
  }
  for (const step of beginning) await checked(ns, model, step)
  return ns
}

async function codeOf(call: Promise<unknown>): Promise<Code> {
  try {
    await call
    return undefined
  } catch (error) {
    if (error instanceof NetlinkError) return error.code
    throw error
  }
}

async function checked(ns: Netns, model: Model, step: Operation): Promise<void> {
  const predicted = model.apply(step)
  assert.is(await codeOf(perform(ns, step, plain)), predicted, `${JSON.stringify(step)} against the prediction`)
}

const agree = async (ns: Netns, model: Model): Promise<void> => assert.equal(await observe(ns), model.state(plain))

/** fast-check adds the seed and the path to the error, and the sequence that is left after shrinking. */
const holds = <T>(arbitrary: fc.Arbitrary<T>, body: (value: T) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(arbitrary, body), { seed, numRuns })

test('each is done or refused as predicted, and at the end the namespace is as predicted', async () => {
  await holds(fc.array(operation(everything), { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
    const model = new Model(kernel)
    await using ns = await town(model)
    for (const [at, step] of steps.entries()) {
      await checked(ns, model, step)
      if (at % 16 === 15) await agree(ns, model)
    }
    await agree(ns, model)
  })
})

test('they do the same in batches as one by one', async () => {
  const batches = fc.array(
    fc.array(operation({ references: names, renames: false }), { minLength: 1, maxLength: 12, size: 'max' }),
    {
      minLength: 1,
      maxLength: 4,
      size: 'max',
    },
  )
  await holds(batches, async (groups) => {
    const model = new Model(kernel)
    await using ns = await town(model)
    for (const group of groups) {
      const steps = comparable(model, group)
      const predicted: boolean[] = []
      const result = await ns.batch((batch) => {
        for (const step of steps) {
          predicted.push(model.apply(step) === undefined)
          put(batch, step, plain)
        }
      })
      // Why one is refused is another matter: the batch asked for its device before another item deleted it.
      const done = result.items.map(({ status }) => status === 'done')
      assert.equal(done, predicted, JSON.stringify(steps))
      await agree(ns, model)
    }
  })
})

/**
 * Without what a batch is made to do otherwise: an item that creates a device under a name that is taken is not followed by others on
 * the device that has the name. And without veth pairs, which no batch makes.
 */
function comparable(model: Model, group: readonly Operation[]): BatchOperation[] {
  const made = new Set<string>()
  return group.flatMap((step): BatchOperation[] => {
    if (step.verb === 'createVethPair') return []
    if (step.verb !== 'createLink') return [step]
    if (model.has(step.name) || made.has(step.name)) return []
    made.add(step.name)
    return [step]
  })
}

test('the model is told from the kernel: a change behind its back is seen', async () => {
  const model = new Model(kernel)
  await using ns = await town(model)
  await agree(ns, model)
  await output('ip', ['route', 'add', '10.8.0.0/16', 'dev', 'd0'], { netns: ns })
  assert.not.equal((await observe(ns)).routes, model.state(plain).routes)
})

test.run()
