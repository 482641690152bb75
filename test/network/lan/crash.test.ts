// Processes killed at every step of an attach to a wire and of a detach from it: who is there stays reached, what the dead process left
// is collected, and its name, its address and its place are free for the next.
//
// A step is a system call that changes something; the process is killed as it enters it.

import * as assert from 'uvu/assert'
import { createNetwork, gc, type LanNetwork, openNetwork } from '../../../lib/index.ts'
import { createLab, type KernelState, kernelState, type Lab, output, run } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { type Step, type Task, Victims } from '../crash/victims.ts'
import { changes } from '../support/changes.ts'
import { address, attachSoon, reaches, spec } from '../support/lan.ts'
import { sweep } from '../support/sweep.ts'
import { until } from '../support/until.ts'
import { linkShown } from '../support/witness.ts'

const noStrace = (await run('strace', ['-V']).catch(() => undefined)) === undefined && 'strace is not installed'
const deadAddress = '192.0.2.77/24'
const wanted = {
  name: 'dead',
  addresses: [deadAddress],
  labels: { app: 'shop' },
  routes: [{ to: '10.0.0.0/8' }],
  bandwidth: { ingress: '80mbit' },
} as const

const test = suite('a process killed at every step on a wire', { limit: 300_000 })
let lab: Lab
let victims: Victims
let network: LanNetwork
/** The state with the survivor only. */
let alone: readonly KernelState[]

const stateNow = (): Promise<KernelState[]> => Promise.all([kernelState(), kernelState('box')])

test.before(async () => {
  if (noStrace) return
  lab = await createLab()
  victims = await Victims.create()
  await output('ip', ['-batch', '-'], { input: 'netns add box\nnetns add keeper' })
  // Not for an attach to turn on: whoever is killed does not turn it off again.
  await output('ip', ['-n', 'box', 'link', 'set', 'lo', 'up'])
  network = await createNetwork(spec)
  await network.attach({ name: 'keeper', netns: 'keeper', addresses: ['192.0.2.50/24'] })
  // The host's number for it stays as long as the namespace does.
  await (await network.attach({ ...wanted, netns: 'box' })).detach()
  alone = await stateNow()
})
test.after(async () => {
  if (noStrace) return
  await network.delete({ force: true })
  await victims[Symbol.asyncDispose]()
  await output('ip', ['-batch', '-'], { input: 'netns delete box\nnetns delete keeper' })
  await lab[Symbol.asyncDispose]()
  await sweep()
})

async function equalsAlone(what: string): Promise<void> {
  let left: string[] = []
  await until(what, async () => {
    left = changes(alone, await stateNow())
    return left.length === 0
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${left.join('\n')}`)
  })
}

interface Scene {
  readonly task: Task
  /** How many it must at least have, so that a change that hides them is noticed. */
  readonly steps: number
  readonly before?: () => Promise<unknown>
}

async function atEveryStep({ task, steps: least, before }: Scene): Promise<void> {
  const killed = async (step: Step | 'done'): Promise<readonly Step[]> => {
    await before?.()
    const steps = step === 'done' ? await victims.killedWhenDone(task) : []
    const isEarly = step !== 'done' && (await victims.killedAt(task, step))
    const what = `${task.verb}, ${isEarly ? `killed before ${step.syscall} ${step.at}` : 'killed when it was done'}`
    const found = (await openNetwork('wire')) as LanNetwork
    await until(`${what}, and collected`, async () => {
      await gc({ keep: ['wire/keeper'] })
      return (await found.endpoints()).length === 1 && changes(alone, await stateNow()).length === 0
    }).catch(() => equalsAlone(`${what}, and collected`))
    const heir = await attachSoon(found, { ...wanted, netns: 'box' })
    assert.ok(await reaches('lan', address(heir)), `the next one is reached: ${what}`)
    assert.ok(await reaches('lan', '192.0.2.50'), `the survivor is reached: ${what}`)
    await heir.detach()
    await equalsAlone(what)
    return steps
  }
  const steps = await killed('done')
  for (const step of steps) await killed(step)
  console.log(`${task.verb}: ${steps.map(({ syscall, at }) => `${syscall} ${at}`).join(', ')}`)
  assert.ok(steps.length >= least, `${task.verb} changes something in ${steps.length} steps only`)
}

test.skipIf(noStrace, 'of an attach that makes the namespace', () =>
  atEveryStep({ task: { network: 'wire', verb: 'attach', spec: wanted }, steps: 8 }),
)

test.skipIf(noStrace, 'of an attach into a namespace that lives on', () =>
  atEveryStep({ task: { network: 'wire', verb: 'attach', spec: { ...wanted, netns: 'box' } }, steps: 8 }),
)

test.skipIf(noStrace, 'of a detach from a namespace that lives on', () =>
  atEveryStep({
    task: { network: 'wire', verb: 'detach', endpoint: 'dead' },
    steps: 2,
    before: async () => {
      await network.attach({ ...wanted, netns: 'box' })
      assert.ok(await linkShown('eth0', 'box'))
    },
  }),
)

test.run()
