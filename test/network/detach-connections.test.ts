// What conntrack remembers, when a container is detached: what that one answered is forgotten, whatever the port was published as, and
// nothing of anybody else. The entries are made by conntrack(8).

import * as assert from 'uvu/assert'
import { createNetwork, type Network, type PortSpec } from '../../lib/index.ts'
import { output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { sweep } from './support/sweep.ts'

const test = suite('connections at a detach')
let lab: Network
test.before.each(async () => {
  lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'], gatewayMode: { ipv6: 'routed' } })
})
test.after.each(async () => {
  await output('conntrack', ['-F'])
  await lab.delete({ force: true })
  await sweep()
})

/** From a client to `called`, where `answering` is the container; told from others by the client's port. */
async function remember(port: number, protocol: string, called: string, answering: string): Promise<void> {
  const client = called.includes(':') ? '2001:db8:1::7' : '192.0.2.7'
  const ends = ['-s', client, '-d', called, '--reply-src', answering, '--reply-dst', client]
  const ports = ['--sport', `${port}`, '--dport', '8080', '--reply-port-src', '80', '--reply-port-dst', `${port}`]
  const state = protocol === 'tcp' ? ['--state', 'SYN_SENT'] : []
  await output('conntrack', ['-I', '-p', protocol, ...ends, ...ports, ...state, '--timeout', '100'])
}

async function remembered(): Promise<number[]> {
  const lists = await Promise.all(['ipv4', 'ipv6'].map((family) => output('conntrack', ['-L', '-f', family])))
  return lists.flatMap((list) => [...list.matchAll(/ sport=(\d+) dport=8080 /g)].map((match) => Number(match[1]))).sort()
}

const publications: Readonly<Record<string, PortSpec>> = {
  'a port': '8080:80',
  'a port of one address': '192.0.2.1:8080:80',
  'a port for some': { hostPort: 8080, containerPort: 80, from: ['192.0.2.0/24', '2001:db8::/32'] },
  'a port of one address for some': { hostAddress: '192.0.2.1', hostPort: 8080, containerPort: 80, from: ['192.0.2.0/24'] },
}

for (const [what, publish] of Object.entries(publications)) {
  test(`${what}: those that the container answered go, and no others`, async () => {
    const web = await lab.attach({ name: 'web', addresses: ['10.9.0.2/24', 'fd00:9::2/64'], publish: [publish] })
    await lab.attach({ name: 'other', addresses: ['10.9.0.3/24', 'fd00:9::3/64'] })
    for (const [at, protocol] of ['tcp', 'udp'].entries()) {
      await remember(1000 + at, protocol, '192.0.2.1', '10.9.0.2')
      await remember(1010 + at, protocol, 'fd00:9::2', 'fd00:9::2')
      await remember(1020 + at, protocol, '192.0.2.2', '10.9.0.3')
      await remember(1030 + at, protocol, 'fd00:9::3', 'fd00:9::3')
    }
    assert.equal(await remembered(), [1000, 1001, 1010, 1011, 1020, 1021, 1030, 1031])
    await web.detach()
    assert.equal(await remembered(), [1020, 1021, 1030, 1031])
  })
}

test('of a container without ports costs no look at the connections', async () => {
  const quiet = await lab.attach({ name: 'quiet', addresses: ['10.9.0.4/24', 'fd00:9::4/64'] })
  await remember(1000, 'tcp', '10.9.0.4', '10.9.0.4')
  await quiet.detach()
  assert.equal(await remembered(), [1000])
})

test.run()
