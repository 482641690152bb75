// A network on a wire and its containers, called off at each request to the kernel in turn: nothing is left.

import * as assert from 'uvu/assert'
import { createNetns, createNetwork } from '../../../lib/index.ts'
import { createLab, kernelState, type Lab, output } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { changes } from '../support/changes.ts'
import { spec, withNetwork } from '../support/lan.ts'
import { abortedAt, everyStep } from '../support/steps.ts'
import { sweep } from '../support/sweep.ts'

let lab: Lab

const test = suite('called off, on a wire')
test.before(async () => {
  lab = await createLab()
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})

test('a network leaves nothing', async () => {
  const steps = await everyStep(
    (signal) => createNetwork({ ...spec, signal }),
    (network) => network.delete(),
  )
  assert.ok(steps >= 5, `${steps} steps`)
})

test('an attach leaves nothing, no device and no lease', () =>
  withNetwork({}, async (network) => {
    const steps = await everyStep(
      (signal) => network.attach({ name: 'web', signal }),
      (endpoint) => endpoint.detach(),
    )
    assert.ok(steps > 10, `${steps} steps`)
  }))

test('an attach leaves a namespace that was there as it was', () =>
  withNetwork({}, async (network) => {
    await using ns = await createNetns('box')
    await output('ip', ['-batch', '-'], { netns: 'box', input: 'link set lo up\nlink set lo down' })
    const wish = {
      name: 'web',
      netns: ns,
      routes: [{ to: '10.0.0.0/8', type: 'blackhole' as const }],
      bandwidth: { egress: '10mbit' as const },
    }
    const steps = await everyStep(
      (signal) => network.attach({ ...wish, signal }),
      async (endpoint) => {
        await endpoint.detach()
        await output('ip', ['link', 'set', 'lo', 'down'], { netns: 'box' })
      },
      async () => [await kernelState(), await kernelState('box')],
    )
    assert.ok(steps > 10, `${steps} steps`)
    await output('ip', ['netns', 'delete', 'box'])
  }))

test('what is there stays', () =>
  withNetwork({}, async (network) => {
    await network.attach({ name: 'web' })
    const before = await kernelState()
    const calls: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
      delete: (signal) => network.delete({ force: true, signal }),
      detach: (signal) => network.detach('web', { signal }),
      detachMany: (signal) => network.detachMany(['web'], { signal }),
      reclaim: (signal) => network.reclaim({ signal }),
      endpoints: (signal) => network.endpoints({ signal }),
    }
    for (const [verb, call] of Object.entries(calls)) {
      const { result } = await abortedAt(1, async (signal) => {
        await call(signal)
        return true
      })
      assert.is(result, undefined, verb)
      assert.equal(changes(before, await kernelState()), [], verb)
    }
  }))

test.run()
