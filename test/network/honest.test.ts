// Publishing tells the truth: what a process of the host has is not taken from it, and who reaches what can be asked.

import { once } from 'node:events'
import { createServer } from 'node:net'
import * as assert from 'uvu/assert'
import { createNetwork, exposedPorts, host, type Network, NetworkError } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output, spawnIn } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { attachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { elementsShown } from './support/witness.ts'

{
  const test = suite('a port that a process of the host has')
  let lab: Network
  test.before.each(async () => {
    await output('ip', ['link', 'set', 'lo', 'up'])
    lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'] })
  })
  test.after.each(async () => {
    await lab.delete({ force: true })
    await output('ip', ['link', 'set', 'lo', 'down'])
    await sweep()
  })

  async function refused(call: () => Promise<unknown>, port: string): Promise<void> {
    const before = await kernelState()
    const failure = await failureOf(call)
    assert.instance(failure, NetworkError, String(failure))
    assert.is(failure.code, 'PORT_IN_USE')
    assert.ok(failure.message.includes(`${port} cannot be published: a process of the host has it`), failure.message)
    assert.equal((failure.cause as { syscall?: string }).syscall, 'bind')
    assert.equal(changes(before, await kernelState()), [])
  }

  /** Listens in a process of its own, so that nothing of this one is in the way. */
  async function listening(code: string): Promise<() => Promise<void>> {
    const child = spawnIn(undefined, process.execPath, ['-e', `${code}; process.stdin.resume()`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    return async () => {
      const gone = once(child, 'close')
      child.kill('SIGKILL')
      await gone
    }
  }
  const tcp = (port: number, address: string): string =>
    `require('net').createServer((s) => s.end('mine')).listen(${port}, '${address}', () => console.log('up'))`

  test('is refused, at attach and later, and is free once the process is gone', async () => {
    const web = await lab.attach({ name: 'web' })
    for (const address of ['0.0.0.0', '127.0.0.1', '::']) {
      const stop = await listening(tcp(8080, address))
      await refused(() => lab.attach({ name: 'more', publish: ['8079-8081:79-81'] }), '8080/tcp')
      await refused(() => web.publish(['53:53/udp', '8080:80']), '8080/tcp')
      assert.equal(web.ports, [])
      await stop()
      await web.publish('8080:80')
      await web.unpublish('8080:80')
    }
  })

  test('counts only where it is: another address, another protocol, another family are free', async () => {
    const stop = await listening(tcp(8080, '127.0.0.1'))
    const web = await lab.attach({
      name: 'web',
      publish: ['8080:80/udp', '[::]:8080:80', '127.0.0.2:8080:80', '192.0.2.77:8080:80'],
    })
    await refused(() => web.publish('127.0.0.1:8080:80'), '127.0.0.1:8080/tcp')
    await stop()
  })

  test('is refused where a published one would reach it, and not for the loopback of IPv6, which is left alone', async () => {
    await output('ip', ['address', 'add', '2001:db8::1/64', 'dev', 'lo', 'nodad'])
    const web = await lab.attach({ name: 'web' })
    const alone = await listening(tcp(8080, '::1'))
    await web.publish('8080:80')
    await web.unpublish('8080:80')
    await alone()
    const reached = await listening(tcp(8080, '2001:db8::1'))
    await refused(() => web.publish('8080:80'), '8080/tcp')
    await refused(() => web.publish('[2001:db8::1]:8080:80'), '[2001:db8::1]:8080/tcp')
    await reached()
    await output('ip', ['address', 'delete', '2001:db8::1/64', 'dev', 'lo'])
  })

  test('of UDP is refused, also when its socket shares', async () => {
    const stop = await listening(
      `require('dgram').createSocket({ type: 'udp4', reuseAddr: true }).bind(5353, () => console.log('up'))`,
    )
    await refused(() => lab.attach({ name: 'dns', publish: ['5353:53/udp'] }), '5353/udp')
    await stop()
  })

  test('is free when only connections that have ended remember it', async () => {
    const server = createServer((socket) => socket.end('done'))
    await once(server.listen(8080, '127.0.0.1'), 'listening')
    const [client] = await Promise.all([host.connect({ host: '127.0.0.1', port: 8080 }), once(server, 'connection')])
    client.resume()
    await once(client, 'close')
    server.close()
    await until('the port is in TIME_WAIT', async () => /8080/.test(await output('ss', ['-Htan', 'state', 'time-wait'])))
    await lab.attach({ name: 'web', publish: ['8080:80'] })
  })

  test.run()
}

{
  const test = suite('what is exposed')

  test('is told by port: to whom, and which container answers; not what the dead have left', async () => {
    assert.equal(await exposedPorts(), [])
    const a = await createNetwork({ name: 'a', subnets: ['10.9.0.0/24', 'fd00:9::/64'] })
    const b = await createNetwork({ name: 'b', subnets: ['10.8.0.0/24'] })
    await a.attach({ name: 'web', publish: ['8080:80', '127.0.0.1:53:5353/udp'] })
    await b.attach({ name: 'db', publish: ['192.0.2.1:5432:5432', '7000-7001:70-71'] })
    const dead = await attachElsewhere('b', { name: 'dead', publish: ['9000:90'] })
    await dead.kill()
    await until('the device is gone', async () => !(await output('ip', ['link'])).includes(dead.endpoints[0]?.hostIfname ?? '-'))
    assert.ok((await elementsShown('ports4')).some((element) => element.includes('9000')))

    const web = { network: 'a', endpoint: 'web' }
    const db = { network: 'b', endpoint: 'db', family: 'inet', protocol: 'tcp', containerAddress: '10.8.0.2', from: 'everyone' }
    const inA = [
      {
        ...web,
        family: 'inet',
        protocol: 'udp',
        hostAddress: '127.0.0.1',
        hostPort: 53,
        containerAddress: '10.9.0.2',
        containerPort: 5353,
        from: 'this host',
      },
      {
        ...web,
        family: 'inet',
        protocol: 'tcp',
        hostPort: 8080,
        containerAddress: '10.9.0.2',
        containerPort: 80,
        from: 'everyone',
      },
      {
        ...web,
        family: 'inet6',
        protocol: 'tcp',
        hostPort: 8080,
        containerAddress: 'fd00:9::2',
        containerPort: 80,
        from: 'everyone',
      },
    ]
    assert.equal(await a.exposed(), inA)
    assert.equal(await exposedPorts(), [
      ...inA.slice(0, 1),
      { ...db, hostAddress: '192.0.2.1', hostPort: 5432, containerPort: 5432 },
      { ...db, hostPort: 7000, containerPort: 70 },
      { ...db, hostPort: 7001, containerPort: 71 },
      ...inA.slice(1),
    ])
    await Promise.all([a, b].map((network) => network.delete({ force: true })))
    assert.equal(await exposedPorts(), [])
    assert.match((await failureOf(exposedPorts({ hots: host } as never))).message, /'hots' is unknown; did you mean 'host'/)
  })

  test.run()
}
