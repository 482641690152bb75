// Networks, endpoints and ports, called off at each request to the kernel in turn: the kernel is as before, or all of it was done.

import { getEventListeners } from 'node:events'
import * as assert from 'uvu/assert'
import {
  type AttachSpec,
  check,
  createNetns,
  createNetwork,
  diagnose,
  exposedPorts,
  gc,
  keepRepaired,
  listNetworks,
  type Network,
  type NetworkSpec,
  repair,
} from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { abortedAt, everyStep } from './support/steps.ts'
import { sweep } from './support/sweep.ts'
import { elementsShown, linksShown } from './support/witness.ts'

const bridge: NetworkSpec = { name: 'lab', subnets: ['10.9.0.0/24', 'fd09::/64'] }

{
  const test = suite('called off, a network', { limit: 180_000 })
  test.after.each(sweep)

  for (const driver of ['bridge', 'ptp'] as const) {
    test(`of the driver ${driver} leaves nothing, wherever it stopped`, async () => {
      const steps = await everyStep(
        (signal) => createNetwork({ ...bridge, driver, signal }),
        (network) => network.delete(),
      )
      assert.ok(steps > 10, `${steps} steps`)
    })
  }

  test('leaves another network and its firewall as they were', async () => {
    const other = await createNetwork({ name: 'other', subnets: ['10.8.0.0/24'] })
    await other.attach({ name: 'web', publish: ['8080:80'] })
    await everyStep(
      (signal) => createNetwork({ ...bridge, signal }),
      (network) => network.delete(),
    )
    await other.delete({ force: true })
  })

  test('is deleted as a whole, or not at all', async () => {
    const make = async (): Promise<Network> => {
      const network = await createNetwork(bridge)
      await network.attach({ name: 'web', publish: ['8080:80'] })
      return network
    }
    const bare = await kernelState()
    let network = await make()
    let untouched = 0
    for (let nth = 1; ; nth++) {
      const before = await kernelState()
      const { result, requests } = await abortedAt(nth, async (signal) => {
        await network.delete({ force: true, signal })
        return true
      })
      assert.equal(changes(result ? bare : before, await kernelState()), [], `called off at request ${nth}`)
      if (!result) untouched++
      if (requests < nth) break
      if (result) network = await make()
    }
    assert.is(untouched, 1)
  })

  test.run()
}

{
  const test = suite('called off, an attach', { limit: 180_000 })
  let lab: Network
  test.before.each(async () => {
    lab = await createNetwork(bridge)
  })
  test.after.each(sweep)

  const cases: [what: string, spec: Omit<AttachSpec, 'name'>][] = [
    ['into a new namespace', {}],
    ['with an address of its own', { addresses: ['10.9.0.77/24'] }],
    ['with ports', { publish: ['8080:80', '53:53/udp'] }],
    ['with a port of the host that is free', { publish: ['80'] }],
    ['that announces itself', { announce: true }],
    ['with a limit', { bandwidth: { egress: '10mbit', ingress: '10mbit' } }],
    ['with settings and routes', { sysctls: { 'net.core.somaxconn': 99 }, routes: [{ to: '10.0.0.0/8', type: 'blackhole' }] }],
  ]
  for (const [what, spec] of cases) {
    test(`${what} leaves nothing, wherever it stopped`, async () => {
      const steps = await everyStep(
        (signal) => lab.attach({ name: 'web', ...spec, signal }),
        (endpoint) => endpoint.detach(),
      )
      assert.ok(steps >= 1, `${steps} steps`)
    })
  }

  test('leaves a namespace that was there as it was', async () => {
    await using ns = await createNetns('box')
    // Its loopback was up once: the kernel gives it a queue then and never takes it back.
    await output('ip', ['-batch', '-'], { netns: 'box', input: 'link set lo up\nlink set lo down' })
    const spec = { ...cases.at(-1)?.[1], publish: ['8080:80'], announce: true, netns: ns }
    await everyStep(
      (signal) => lab.attach({ name: 'web', ...spec, signal }),
      async (endpoint) => {
        await endpoint.detach()
        // What is no device's outlives it.
        await output('ip', ['link', 'set', 'lo', 'down'], { netns: 'box' })
        await output('sysctl', ['-qw', 'net.core.somaxconn=4096'], { netns: 'box' })
      },
      async () => [
        await kernelState(),
        await kernelState('box'),
        await output('sysctl', ['net.core.somaxconn'], { netns: 'box' }),
      ],
    )
    await output('ip', ['netns', 'delete', 'box'])
  })

  test('of many leaves none of them, and begins no more', async () => {
    const specs = Array.from({ length: 200 }, (_, at) => ({ name: `web${at}`, publish: [`${8000 + at}:80`] }))
    const before = await kernelState()
    const { result, requests } = await abortedAt(30, (signal) => lab.attachMany(specs, { signal }))
    assert.is(result, undefined)
    assert.equal(changes(before, await kernelState()), [])
    assert.ok(requests < 200, `${requests} requests`)
    assert.is((await lab.attachMany(specs, { signal: new AbortController().signal })).length, 200)
    assert.is((await linksShown()).filter(({ master }) => master === 'br-lab').length, 200)
    await lab.detachMany(specs.map(({ name }) => name))
  })

  test('of many among which one was called off alone is refused: the signal is for all', async () => {
    const specs: AttachSpec[] = [{ name: 'web' }, { name: 'db', signal: new AbortController().signal }]
    const failure = await failureOf(lab.attachMany(specs))
    assert.is((failure as { code?: string }).code, 'ERR_INVALID_ARG_VALUE')
    assert.match(failure.message, /^specs\[1\]: signal belongs in the options behind/)
  })

  test.run()
}

{
  const test = suite('called off, what is there', { limit: 180_000 })
  let lab: Network
  test.before.each(async () => {
    lab = await createNetwork(bridge)
  })
  test.after.each(async () => {
    await lab.delete({ force: true })
    await sweep()
  })

  test('publishes none of the ports, and remembers none', async () => {
    const endpoint = await lab.attach({ name: 'web' })
    const steps = await everyStep(
      async (signal) => {
        await endpoint.publish(['8080:80', '81', '53:53/udp'], { signal })
        return true
      },
      () => endpoint.unpublish(endpoint.ports),
    )
    assert.ok(steps > 2, `${steps} steps`)
  })

  test('publishes what it would withdraw', async () => {
    const endpoint = await lab.attach({ name: 'web', publish: ['8080:80'] })
    await everyStep(
      async (signal) => {
        await endpoint.unpublish('8080:80', { signal })
        return true
      },
      () => endpoint.publish('8080:80'),
    )
  })

  test('gives way to a change of ports that came before, and is not made', async () => {
    const endpoint = await lab.attach({ name: 'web' })
    const controller = new AbortController()
    const first = endpoint.publish('8080:80')
    const second = failureOf(endpoint.publish('8081:80', { signal: controller.signal }))
    await first
    controller.abort()
    assert.is((await second).name, 'AbortError')
    assert.equal(
      endpoint.ports.map(({ hostPort }) => hostPort),
      [8080],
    )
    assert.is((await elementsShown('ports4')).length, 1)
  })

  test('is not detached while it waits for those that are', async () => {
    const [first, second] = await lab.attachMany([{ name: 'web' }, { name: 'db' }])
    const controller = new AbortController()
    const going = first?.detach()
    // The round has begun.
    await listNetworks()
    const waiting = failureOf(second?.detach({ signal: controller.signal }) ?? Promise.resolve())
    controller.abort()
    assert.is((await waiting).name, 'AbortError')
    await going
    assert.equal(
      (await linksShown()).filter(({ master }) => master === 'br-lab').map(({ ifname }) => ifname),
      [second?.hostIfname],
    )
  })

  test('is detached all together or not at all', async () => {
    await lab.attachMany([{ name: 'web', publish: ['8080:80'] }, { name: 'db' }])
    const before = await kernelState()
    for (const call of [
      (signal: AbortSignal) => lab.detachMany(['web', 'db'], { signal }),
      (signal: AbortSignal) => lab.detach('web', { signal }),
    ]) {
      const { result, requests } = await abortedAt(1, async (signal) => {
        await call(signal)
        return true
      })
      assert.equal([result, requests], [undefined, 1])
    }
    assert.equal(changes(before, await kernelState()), [])
  })

  test('is looked at no further', async () => {
    await lab.attach({ name: 'web', publish: ['8080:80'] })
    const looks: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
      listNetworks: (signal) => listNetworks({ signal }),
      exposedPorts: (signal) => exposedPorts({ signal }),
      exposed: (signal) => lab.exposed({ signal }),
      endpoints: (signal) => lab.endpoints({ signal }),
      check: (signal) => check({ signal }),
      'Network.check': (signal) => lab.check({ signal }),
      diagnose: (signal) => diagnose({ signal }),
    }
    for (const [what, look] of Object.entries(looks)) {
      const { requests } = await abortedAt(Number.POSITIVE_INFINITY, look)
      const { result } = await abortedAt(1, look)
      assert.is(result, undefined, what)
      const stopped = await abortedAt(Math.ceil(requests / 2), look)
      assert.is(stopped.result, undefined, `${what}, in the middle of ${requests}`)
    }
  })

  test('is repaired by the next one, and swept by the next one', async () => {
    // IPv6 has routes that come back in the kernel's own time.
    await lab.delete()
    lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
    const endpoint = await lab.attach({ name: 'web', publish: ['8080:80'] })
    const whole = await kernelState()
    const spoil = (): Promise<string> =>
      output('sh', ['-c', `nft flush ruleset; ip link set br-lab down; ip link set ${endpoint.hostIfname} down`])
    for (let nth = 1; ; nth += 17) {
      await spoil()
      const { requests } = await abortedAt(nth, (signal) => repair({ signal }))
      await repair()
      assert.equal(changes(whole, await kernelState()), [], `called off at request ${nth}`)
      if (requests < nth) break
    }
    for (let nth = 1; ; nth += 7) {
      const { requests } = await abortedAt(nth, (signal) => gc({ keep: ['lab/web'], signal }))
      assert.equal(changes(whole, await kernelState()), [], `called off at request ${nth}`)
      if (requests < nth) break
    }
  })

  test('is repaired no more, though a repair is under way', async () => {
    await output('nft', ['flush', 'ruleset'])
    const { result } = await abortedAt(8, async (signal) => {
      for await (const report of keepRepaired({ signal })) return report
      return undefined
    })
    assert.is(result, undefined)
  })

  test.run()
}

{
  const test = suite('a signal of networks', { limit: 180_000 })
  test.after.each(sweep)

  test('that is shared by all that is done with one keeps no listener', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    const { signal } = new AbortController()
    const lab = await createNetwork({ ...bridge, signal })
    for (let round = 0; round < 10; round++) {
      const specs = Array.from({ length: 20 }, (_, at) => ({ name: `web${at}`, announce: at < 10 }))
      const endpoints = await lab.attachMany(specs, { signal })
      await Promise.all(endpoints.map((endpoint, at) => endpoint.publish(`${8000 + at}:80`, { signal })))
      await check({ signal })
      await lab.detachMany(
        specs.map(({ name }) => name),
        { signal },
      )
      assert.equal(getEventListeners(signal, 'abort'), [])
    }
    await lab.delete({ signal })
    process.off('warning', note)
    assert.equal(warnings, [])
  })

  test.run()
}
