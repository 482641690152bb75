// How many containers a bridge takes: its ports are numbered, 1 to 1023. Most of them are ends of veth pairs here, down and without
// a container, which the kernel makes faster.

import * as assert from 'uvu/assert'
import { createNetwork, NetworkError } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { sweep } from './support/sweep.ts'
import { elementsShown, linksShown } from './support/witness.ts'

const test = suite('a network with as many containers as its bridge takes')
const mostPorts = 1023
const containers = 11
const pairs = Array.from({ length: (mostPorts - containers) / 2 }, (_, number) => number)

/** Runs `ip -batch` with the lines of all pairs. */
const forPairs = (lines: (number: number) => string[]): Promise<string> =>
  output('ip', ['-batch', '-'], { input: pairs.flatMap(lines).join('\n') })

const portsShown = async (): Promise<number> => (await linksShown()).filter(({ master }) => master === 'br-big').length

test('has 1023 ports; what is attached beyond them, also at the same time, is refused and leaves nothing', async () => {
  const before = await kernelState()
  try {
    const network = await createNetwork({ name: 'big', subnets: ['10.9.0.0/16', 'fd00:9::/64'] })
    await forPairs((number) => [
      `link add near${number} master br-big type veth peer name far${number}`,
      `link set far${number} master br-big`,
    ])
    // More than there is room for, all at once: which of them get in is not said.
    const names = Array.from({ length: containers + 6 }, (_, number) => `c${number}`)
    const attempts = await Promise.allSettled(
      names.map((name, number) => network.attach({ name, publish: [`${8000 + number}:80`] })),
    )
    const refused = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []))
    const attached = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
    assert.is(attached.length, containers)
    for (const reason of refused) {
      assert.instance(reason, NetworkError)
      assert.is((reason as NetworkError).code, 'BRIDGE_FULL')
    }
    assert.is(await portsShown(), mostPorts)
    assert.is((await elementsShown('ports4')).length, containers, 'those that were refused publish nothing')
    const full = await kernelState()

    const failure = await failureOf(network.attach({ name: 'web', publish: ['9000:80'] }))
    assert.instance(failure, NetworkError)
    assert.is(failure.code, 'BRIDGE_FULL')
    assert.match(failure.message, /br-big .*1023.* ptp /)
    assert.equal(changes(full, await kernelState()), [], 'a refused attach leaves nothing')

    await attached[0]?.detach()
    const last = await network.attach({ name: 'web', publish: ['9000:80'] })
    assert.equal((await network.endpoint('web')).addresses, last.addresses)
    assert.is(await portsShown(), mostPorts)

    await forPairs((number) => [`link set near${number} group 7`])
    await output('ip', ['link', 'delete', 'group', '7'])
    await network.delete({ force: true })
    assert.equal(changes(before, await kernelState()), [], 'and nothing is left')
  } catch (error) {
    await sweep() // one failure is enough
    throw error
  }
})

test.run()
