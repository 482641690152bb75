// Tracked connections, with conntrack(8) as the witness.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../lib/cidr.ts'
import { conntrack, type FlowFilter, host, Netns } from '../../lib/index.ts'
import { native } from '../../lib/native.ts'
import { failureOf } from '../support/failure.ts'
import { createLab, type Lab, output, run, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const test = suite('conntrack')

let lab: Lab
let tcpPort: number
const sockets: Socket[] = []
test.before(async () => {
  lab = await createLab()
  // Without a rule that asks for it, a namespace tracks nothing.
  await output('nft', ['-f', '-'], {
    input: `table inet tracking {
  chain prerouting { type filter hook prerouting priority -300; ct state new counter; }
  chain output { type filter hook output priority -100; ct state new meta l4proto tcp ct mark set 0x2a; }
}`,
  })
  await writeSysctl('net.netfilter.nf_conntrack_acct', 1)
  const socket = connect({ host: lab.internetAddress, port: 80 })
  await once(socket, 'connect')
  sockets.push(socket)
  tcpPort = socket.localPort ?? 0
  const udp = createSocket('udp4')
  udp.send('hello', 53, lab.internetAddress)
  await once(udp, 'message')
  udp.close()
  await output('ping', ['-c', '1', '-W', '5', lab.internetAddress])
  await output('ping', ['-c', '1', '-W', '5', '::1'])
})
test.after(async () => {
  for (const socket of sockets) socket.destroy()
  await output('nft', ['delete', 'table', 'inet', 'tracking'])
  await output('conntrack', ['-F'])
  await lab[Symbol.asyncDispose]()
})

/** The lines of `conntrack -L`. */
async function shown(...args: string[]): Promise<string[]> {
  const { stdout } = await run('conntrack', ['-L', ...args])
  return stdout.split('\n').filter((line) => line !== '')
}

test('a TCP connection is listed as conntrack lists it', async () => {
  const [flow, ...more] = await host.conntrack.list({ protocol: 'tcp' })
  assert.equal(more, [])
  const [line = ''] = await shown('-p', 'tcp')
  assert.match(line, new RegExp(`ESTABLISHED src=${lab.hostWanAddress} dst=${lab.internetAddress} sport=${tcpPort} dport=80`))
  if (flow === undefined) throw new Error('no TCP connection is listed')
  const { timeout = 0, id, counters, ...rest } = flow
  assert.equal(rest, {
    family: 'inet',
    protocol: 'tcp',
    original: { source: lab.hostWanAddress, destination: lab.internetAddress, sourcePort: tcpPort, destinationPort: 80 },
    reply: { source: lab.internetAddress, destination: lab.hostWanAddress, sourcePort: 80, destinationPort: tcpPort },
    status: ['seenReply', 'assured', 'confirmed'],
    mark: 0x2a,
    zone: 0,
    state: 'established',
  })
  assert.ok(Math.abs(timeout - Number(/tcp +6 (\d+)/.exec(line)?.[1])) <= 2, `${timeout} in: ${line}`)
  assert.ok(id > 0)
  const [, packets, bytes] = /packets=(\d+) bytes=(\d+)/.exec(line) ?? []
  assert.equal(counters?.original, { packets: BigInt(packets ?? ''), bytes: BigInt(bytes ?? '') })
})

test('UDP, ICMP and ICMPv6 are told apart, both families at once', async () => {
  const flows = await conntrack.list()
  const [ping] = flows.filter(({ protocol }) => protocol === 'icmp')
  const [line = ''] = await shown('-p', 'icmp')
  const [, type, code, id] = /type=(\d+) code=(\d+) id=(\d+)/.exec(line) ?? []
  assert.equal(ping?.original.icmp, { type: Number(type), code: Number(code), id: Number(id) })
  assert.equal(ping?.reply.icmp?.type, 0)
  const ping6 = flows.filter(({ protocol }) => protocol === 'icmp6')
  assert.equal(
    ping6.map(({ family, original }) => [family, original.source, original.icmp?.type]),
    [['inet6', '::1', 128]],
  )
  assert.is(flows.filter(({ protocol, original }) => protocol === 'udp' && original.destinationPort === 53).length, 1)
  assert.is(flows.length, (await shown()).length)
})

/** Each beside conntrack's own way to say it. */
const filters: readonly (readonly [FlowFilter, readonly string[]])[] = [
  [{ protocol: 'udp' }, ['-p', 'udp']],
  [{ protocol: 'tcp', original: { destinationPort: 80 } }, ['-p', 'tcp', '--orig-port-dst', '80']],
  [{ protocol: 'tcp', original: { destinationPort: 81 } }, ['-p', 'tcp', '--orig-port-dst', '81']],
  [{ original: { destination: '203.0.113.9' } }, ['--orig-dst', '203.0.113.9']],
  [{ original: { source: '203.0.113.9' } }, ['--orig-src', '203.0.113.9']],
  [{ reply: { source: '203.0.113.9' } }, ['--reply-src', '203.0.113.9']],
  [{ reply: { source: '203.0.113.9' }, protocol: 'icmp' }, ['-p', 'icmp', '--reply-src', '203.0.113.9']],
  [{ original: { source: '::1' } }, ['-f', 'ipv6', '--orig-src', '::1']],
  [{ family: 'inet6' }, ['-f', 'ipv6']],
  [{ mark: 0x2a }, ['--mark', '42']],
  [{ mark: { value: 0x02, mask: 0x0f } }, ['--mark', '2/15']],
  [{ mark: { value: 0x0a, mask: 0x0f } }, ['--mark', '10/15']],
  [{ zone: 7 }, ['-w', '7']],
  [{ status: ['assured', 'seenReply'] }, ['-u', 'ASSURED,SEEN_REPLY']],
]
for (const [filter, args] of filters) {
  test(`${JSON.stringify(filter)} finds what conntrack -L ${args.join(' ')} finds`, async () => {
    assert.is((await conntrack.list(filter)).length, (await shown(...args)).length)
  })
}

test('delete forgets what matches and nothing else', async () => {
  const all = (await conntrack.list()).length
  await conntrack.delete({ protocol: 'udp', original: { destinationPort: 53 } })
  assert.equal(await shown('-p', 'udp'), [])
  assert.is((await conntrack.list()).length, all - 1)
  // None matches: no error.
  await conntrack.delete({ protocol: 'udp', original: { destinationPort: 53 } })
  await conntrack.delete({ original: { destination: '::2' } })
  assert.is((await shown('-f', 'ipv6')).length, 1)
  await conntrack.delete({ reply: { source: '::1' } })
  assert.equal(await shown('-f', 'ipv6'), [])
  await conntrack.delete({ mark: 0x2a })
  assert.equal(await shown('-p', 'tcp'), [])
  assert.is((await conntrack.list()).length, all - 3)
})

test('flush forgets one family, or all', async () => {
  await output('ping', ['-c', '1', '-W', '5', '::1'])
  await conntrack.flush({ family: 'inet' })
  assert.equal(await shown('-f', 'ipv4'), [])
  assert.not.equal(await shown('-f', 'ipv6'), [])
  await conntrack.flush()
  assert.equal(await shown('-f', 'ipv6'), [])
})

test('the connections of a port on one IPv6 address are forgotten, and no others', async () => {
  await output('ip', ['address', 'add', 'fd00:53::1/128', 'dev', 'lo', 'nodad'])
  for (const [address, port] of [
    ['::1', 5300],
    ['fd00:53::1', 5300],
    ['fd00:53::1', 5301],
  ] as const) {
    const socket = createSocket('udp6')
    // Nobody listens there: the refusal is tracked all the same.
    await new Promise<void>((resolve) => socket.on('error', () => {}).send('hello', port, address, () => resolve()))
    await new Promise((resolve) => socket.close(() => resolve(undefined)))
  }
  const destinations = async (): Promise<string[]> =>
    (await shown('-f', 'ipv6', '-p', 'udp')).map(
      (line) => /dst=(\S+) sport=\d+ (dport=\d+)/.exec(line)?.slice(1).join(' ') ?? line,
    )
  await until('three connections are tracked', async () => (await destinations()).length === 3)
  const flows = [{ family: 10, protocol: 17, address: parseAddress('fd00:53::1', 'address').bytes, port: 5300 }]
  const table = { family: 1, name: 'netlink-ct' }
  await native.changePorts(Netns.handleOf(host), { table, publish: false, hostPorts: [], elements: [], marks: [], flows })
  assert.equal((await destinations()).sort(), ['::1 dport=5300', 'fd00:53::1 dport=5301'])
  await output('ip', ['address', 'del', 'fd00:53::1/128', 'dev', 'lo'])
  await conntrack.flush()
})

const bad: readonly (readonly [unknown, RegExp])[] = [
  [{ protcol: 'tcp' }, /did you mean 'protocol'/],
  [{ protocol: 'tpc' }, /did you mean 'tcp'/],
  [{ original: { destinationPort: 80 } }, /filter.protocol must be given with ports/],
  [{ original: { source: '10.0.0.1' }, reply: { source: '::1' } }, /another family/],
  [{ original: { source: '10.0.0.0/8' } }, /filter.original.source/],
  [{ mark: -1 }, /filter.mark must be from 0/],
  [{ status: 'sured' }, /did you mean 'assured'/],
]
for (const [filter, text] of bad) {
  test(`${JSON.stringify(filter)} is refused`, async () => {
    for (const verb of ['list', 'delete'] as const) {
      const error = await failureOf(conntrack[verb](filter as FlowFilter))
      assert.match((error as Error).message, text)
    }
  })
}

test('delete refuses an empty filter', async () => {
  assert.match(((await failureOf(conntrack.delete({}))) as Error).message, /flush\(\) forgets all connections/)
})

test.run()
