// Every step of attach and of createNetwork made to fail in turn: the error says which step and why, and the kernel is as before.

import * as assert from 'uvu/assert'
import { kernel } from '../../lib/errors.ts'
import {
  createNetns,
  createNetwork,
  deny,
  diagnose,
  NetlinkError,
  Netns,
  type Network,
  NetworkError,
  openNetns,
  setLink,
} from '../../lib/index.ts'
import { type AttachPlan, native } from '../../lib/native.ts'
import { tableName } from '../../lib/network/firewall/index.ts'
import { type Failure, failureOf } from '../support/failure.ts'
import { kernelState, type NetnsRef, output, run } from '../support/lab.ts'
import { askProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { sweep } from './support/sweep.ts'
import { addressesShown, elementsShown, linkShown, linksShown } from './support/witness.ts'

const ip = (...lines: string[]): Promise<string> => output('ip', ['-batch', '-'], { input: lines.join('\n') })

/** That `call` fails leaves the host, and the namespace `inside`, as they were. */
async function leavesNothing(call: () => Promise<unknown>, inside?: NetnsRef): Promise<Failure> {
  const before = [await kernelState(), inside && (await kernelState(inside))]
  const failure = await failureOf(call)
  const after = [await kernelState(), inside && (await kernelState(inside))]
  assert.equal(changes(before, after), [], String(failure))
  return failure
}

interface Expected {
  readonly code: string
  readonly syscall: string
  readonly operation: string | RegExp
}

function says(failure: Failure, { code, syscall, operation }: Expected): void {
  assert.instance(failure, NetlinkError)
  assert.equal([failure.code, failure.syscall], [code, syscall], failure.message)
  if (typeof operation === 'string') assert.is(failure.operation, operation)
  else assert.match(failure.operation ?? '', operation)
  assert.ok(failure.message.includes(failure.operation ?? ''), failure.message)
}

const tracksSctp = (await run('sysctl', ['-n', 'net.netfilter.nf_conntrack_sctp_timeout_established'])).code === 0

{
  const test = suite('an attach that fails leaves nothing')
  let lab: Network

  test.before.each(async () => {
    lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
    await output('ip', ['netns', 'add', 'box'])
    // Down, as a runtime hands it over; it was up once, for the kernel gives a loopback its queue then and never takes it back.
    await output('ip', ['-n', 'box', '-batch', '-'], { input: 'link set lo up\nlink set lo down' })
  })
  test.after.each(async () => {
    await lab.delete({ force: true })
    await output('ip', ['netns', 'delete', 'box'])
    await sweep()
  })

  test('when the container’s name is taken', async () => {
    await lab.attach({ name: 'web' })
    const expected = { code: 'EEXIST', syscall: 'RTM_NEWLINKPROP', operation: 'claim the name netlink-ct/lab/web' }
    says(await leavesNothing(() => lab.attach({ name: 'web', publish: ['8080:80'] })), expected)
    says(await leavesNothing(() => lab.attach({ name: 'web', netns: 'box' }), 'box'), expected)
  })

  test('when the name of the interface is taken inside', async () => {
    await ip('link add eth0 netns box type veth peer name other netns box')
    const expected = { code: 'EEXIST', syscall: 'RTM_NEWLINK', operation: 'name the interface eth0 inside' }
    says(await leavesNothing(() => lab.attach({ name: 'web', netns: 'box', publish: ['8080:80'] }), 'box'), expected)
  })

  test('when the address is leased to another', async () => {
    await lab.attach({ name: 'web', addresses: ['10.9.0.9/24'] })
    const failure = await leavesNothing(() => lab.attach({ name: 'more', netns: 'box', addresses: ['10.9.0.9/24'] }), 'box')
    assert.instance(failure, NetworkError)
    assert.is(failure.code, 'ADDRESS_IN_USE')
  })

  test('when there is a default route inside', async () => {
    await ip('link add x0 netns box type veth peer name x1 netns box')
    await output('ip', ['-n', 'box', '-batch', '-'], {
      input: 'address add 10.7.0.2/24 dev x0\nlink set x0 up\nlink set x1 up\nroute add default via 10.7.0.1',
    })
    const expected = { code: 'EEXIST', syscall: 'RTM_NEWROUTE', operation: 'add the default route inside' }
    says(await leavesNothing(() => lab.attach({ name: 'web', netns: 'box' }), 'box'), expected)
    assert.not.ok((await linkShown('lo', 'box'))?.flags.includes('UP'))
    // Without a default route of its own it fits in.
    await lab.attach({ name: 'web', netns: 'box', defaultRoute: false })
    assert.ok((await linkShown('lo', 'box'))?.flags.includes('UP'))
  })

  test('when a port is taken, be it the first, the middle or the last of several', async () => {
    await lab.attach({ name: 'web', publish: ['8080:80', '127.0.0.1:8090:80', '53:53/udp'] })
    const orders = [
      ['8080:80', '8001:80', '8002:80'],
      ['8001:80', '8080:80', '8002:80'],
      ['8001:80', '8002:80', '8080:80'],
      ['8001:80', '127.0.0.1:8090:80', '8002:80'],
      ['8000-8100:9000-9100'],
      ['8001:80', '53:53/udp'],
    ]
    for (const publish of orders) {
      const failure = await leavesNothing(() => lab.attach({ name: 'more', netns: 'box', publish }), 'box')
      assert.instance(failure, NetworkError)
      assert.is(failure.code, 'PORT_IN_USE', publish.join())
      assert.match(
        failure.message,
        /^PORT_IN_USE: \S+ is published by lab\/web \(10\.9\.0\.2:(80|53)\): EEXIST: .*publish a port/,
      )
      assert.is((failure.cause as NetlinkError).syscall, 'NFT_MSG_NEWSETELEM')
    }
  })

  test.skipIf(tracksSctp && 'the kernel tracks SCTP', 'when a port is of SCTP, which the kernel does not track', async () => {
    const failure = await leavesNothing(() => lab.attach({ name: 'web', netns: 'box', publish: ['9000:9000/sctp'] }), 'box')
    assert.instance(failure, NetworkError)
    assert.is(failure.code, 'PROTOCOL_UNSUPPORTED')
    const web = await lab.attach({ name: 'web' })
    assert.is((await leavesNothing(() => web.publish('9000:9000/sctp'))).code, 'PROTOCOL_UNSUPPORTED')
    const denied = (ports: string) => deny({ name: 'sctp', from: 'lab/web', to: 'world', ports })
    assert.is((await leavesNothing(() => denied('9000/sctp'))).code, 'PROTOCOL_UNSUPPORTED')
  })

  test('when the namespace is closed, gone, or none', async () => {
    const closed = await createNetns()
    await closed.close()
    const failure = await leavesNothing(() => lab.attach({ name: 'web', netns: closed, publish: ['8080:80'] }))
    assert.is(failure.code, 'ERR_INVALID_STATE')
    const absent = await leavesNothing(() => lab.attach({ name: 'web', netns: 'nobody' }))
    assert.equal([absent.code, absent.syscall], ['ENOENT', 'open'])
    const process = await leavesNothing(() => lab.attach({ name: 'web', netns: { pid: 0x7ffffffe } }))
    assert.equal([process.code, process.syscall], ['ENOENT', 'open'])
    for (const path of ['/etc/passwd', '/proc/self/ns/mnt', '/'])
      assert.is((await leavesNothing(() => lab.attach({ name: 'web', netns: { path } }))).code, 'EINVAL', path)
  })

  test('when the name of the namespace was deleted after it was opened, nothing fails', async () => {
    await using box = await openNetns('box')
    await output('ip', ['netns', 'delete', 'box'])
    const web = await lab.attach({ name: 'web', netns: box })
    const { fd } = native.describe(Netns.handleOf(box))
    assert.ok((await addressesShown({ path: `/proc/${process.pid}/fd/${fd}` })).includes(`eth0 ${web.addresses[0]}`))
    await web.detach()
    await output('ip', ['netns', 'add', 'box'])
  })

  test('when the bridge is gone', async () => {
    await output('ip', ['link', 'delete', 'br-lab'])
    const failure = await leavesNothing(() => lab.attach({ name: 'web', netns: 'box', publish: ['8080:80'] }), 'box')
    assert.instance(failure, NetworkError)
    assert.is(failure.code, 'NETWORK_NOT_FOUND')
    assert.match(
      failure.message,
      /^NETWORK_NOT_FOUND: the bridge br-lab of the network 'lab' is gone: EINVAL: .*make the veth pair v/,
    )
  })

  test(
    'when the bridge is full',
    async () => {
      const big = await createNetwork({ name: 'big', subnets: ['10.8.0.0/16'] })
      const names = Array.from({ length: 1023 }, (_, at) => `c${at}`)
      await Promise.all(names.map((name) => big.attach({ name, netns: 'box', ifname: name, defaultRoute: false })))
      const failure = await leavesNothing(() => big.attach({ name: 'web', publish: ['8080:80'] }))
      assert.instance(failure, NetworkError)
      assert.is(failure.code, 'BRIDGE_FULL')
      assert.match(failure.message, /^BRIDGE_FULL: the bridge br-big has .* 1023; .*: EXFULL: .*make the veth pair v/)
      assert.equal(
        (await diagnose()).filter(({ code }) => code === 'BRIDGE_NEARLY_FULL'),
        [
          {
            code: 'BRIDGE_NEARLY_FULL',
            network: 'big',
            ports: 1023,
            message: "the bridge of 'big' has 1023 of at most 1023 ports: a network of the driver ptp has no such limit",
          },
        ],
      )
      await big.delete({ force: true })
    },
    { limit: 180_000 },
  )

  test('when its ports are too many to remember', async () => {
    const publish = Array.from({ length: 40 }, (_, at) => `${8000 + 2 * at}:80`)
    const failure = await leavesNothing(() => lab.attach({ name: 'web', netns: 'box', publish }), 'box')
    assert.instance(failure, RangeError)
    assert.is(failure.code, 'ERR_OUT_OF_RANGE')
    assert.match(
      failure.message,
      /the published ports of 'web' take \d+ characters to remember, the kernel keeps 255: publish ranges/,
    )
    const web = await lab.attach({ name: 'web', netns: 'box', publish: publish.slice(0, 10) })
    assert.is((await leavesNothing(() => web.publish(publish.slice(10)), 'box')).code, 'ERR_OUT_OF_RANGE')
    assert.is(web.ports.length, 10)
  })

  test.run()
}

{
  const test = suite('an index that is taken')

  const plan = (bridge: number, index: number): AttachPlan => ({
    ipv6: false,
    master: bridge,
    hostMac: new Uint8Array(0),
    mtu: 0,
    group: 7,
    loose: true,
    isolated: true,
    index,
    ifname: 'eth0',
    alias: 'the alias of the endpoint',
    altname: 'netlink-ct/lab/probe',
    families: [
      { prefixLength: 24, ports: { family: 1, published: 'published4', maps: [], open: [] }, gateway: new Uint8Array(0) },
    ],
    leases: [
      {
        hostIfname: 'vprobe-2',
        claim: 'vprobe-70000',
        addresses: [Uint8Array.of(10, 9, 0, 2)],
        mac: Uint8Array.of(2, 0, 0, 0, 0, 2),
        senders: [],
      },
    ],
    routes: [],
    sysctls: [],
    hostPorts: [],
    elements: [],
    flows: [],
    table: tableName,
    senders: { family: 7, networks: '', chosen: '', sets: [] },
    networksSet: '',
    networksComment: '',
    members: [],
  })

  test.before.each(async () => {
    await ip(
      'link add br0 address 02:00:00:00:00:0a type bridge',
      'link add index 7001 plain0 type veth peer name plain1',
      'link add index 7002 named0 type veth peer name named1',
      "link set named0 alias 'mine, not yours'",
      'link property add dev named0 altname first-name altname second-name',
      'link add index 7003 port0 type veth peer name port1',
      'link set port0 master br0 group 9',
    )
    await output('ip', ['netns', 'add', 'box'])
  })
  test.after.each(async () => {
    await output('ip', ['netns', 'delete', 'box'])
    await sweep()
  })

  test('makes attach take another one, and leaves the device that has it as it is', async () => {
    const bridge = (await linkShown('br0'))?.ifindex ?? 0
    for (const [index, name] of [
      [7001, 'plain0'],
      [7002, 'named0'],
      [7003, 'port0'],
    ] as const) {
      const before = await linkShown(name)
      assert.is(before?.ifindex, index)
      const attached = await kernel(native.attach(native.home(), undefined, plan(bridge, index)))
      assert.is.not(attached.hostIndex, index)
      assert.equal(changes(before, await linkShown(name)), [])
      const own = await linkShown('vprobe-2')
      assert.equal(
        [own?.ifindex, own?.ifalias, own?.altnames],
        [attached.hostIndex, 'the alias of the endpoint', ['netlink-ct/lab/probe', 'vprobe-70000']],
      )
      await output('ip', ['link', 'delete', 'vprobe-2'])
      native.close(attached.inside)
    }
  })

  test('makes attach take another one also where it is taken inside only', async () => {
    await ip('link add index 7009 x0 netns box type veth peer name x1 netns box')
    const bridge = (await linkShown('br0'))?.ifindex ?? 0
    const before = await linkShown('x0', 'box')
    const box = await kernel(native.open('/run/netns/box'))
    const attached = await kernel(native.attach(native.home(), box, plan(bridge, 7009)))
    assert.is.not(attached.index, 7009)
    assert.is((await linkShown('eth0', 'box'))?.ifindex, attached.index)
    assert.equal(await linkShown('x0', 'box'), before)
    native.close(attached.inside)
    native.close(box)
  })

  test('is given back what it had when the lease is taken too', async () => {
    const bridge = (await linkShown('br0'))?.ifindex ?? 0
    await ip('link add vprobe-2 type veth peer name other')
    for (const [index, name] of [
      [7002, 'named0'],
      [7003, 'port0'],
    ] as const) {
      const before = await linkShown(name)
      const failure = await leavesNothing(() => kernel(native.attach(native.home(), undefined, plan(bridge, index))))
      says(failure, { code: 'EADDRNOTAVAIL', syscall: 'RTM_NEWLINK', operation: 'lease an address' })
      assert.equal(changes(before, await linkShown(name)), [])
    }
  })

  test.run()
}

{
  const test = suite('a network that cannot be made leaves nothing')
  const spec = { name: 'lab', subnets: ['10.9.0.0/24'] }
  test.after.each(sweep)

  test('when somebody else has a device of the bridge’s name', async () => {
    await ip('link add br-lab type veth peer name other')
    says(await leavesNothing(() => createNetwork(spec)), {
      code: 'EEXIST',
      syscall: 'RTM_NEWLINK',
      operation: 'make the bridge br-lab',
    })
  })

  test('when somebody else has a device of the network’s alternative name', async () => {
    await ip('link add x0 type veth peer name x1')
    // ip(8) takes no slash here; the kernel does.
    await setLink('x0', { addAltnames: ['netlink-ct/lab'] })
    const failure = await leavesNothing(() => createNetwork(spec))
    assert.is(failure.code, 'NETWORK_DIFFERS')
    assert.match(failure.message, /the device x0 is called netlink-ct\/lab, but its alias, .*, was changed: ip link delete x0$/)
  })

  test('when the host routes the subnet, or a part of it, elsewhere', async () => {
    await ip('link add x0 type veth peer name x1', 'link set x0 up', 'address add 10.9.0.129/25 dev x0')
    const failure = await leavesNothing(() => createNetwork(spec))
    assert.instance(failure, NetworkError)
    assert.is(failure.message, 'SUBNET_CONFLICT: 10.9.0.0/24 overlaps 10.9.0.128/25, which the host routes through x0')
    assert.is((await leavesNothing(() => createNetwork({ name: 'lab', subnets: ['10.0.0.0/8'] }))).code, 'SUBNET_CONFLICT')
  })

  test('when two are made for one subnet at the same time, one of them is', async () => {
    const outcomes = await Promise.allSettled(
      ['one', 'two', 'three'].map((name) => createNetwork({ name, subnets: ['10.9.0.0/24'] })),
    )
    const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as Failure).code] : []))
    assert.ok(made.length <= 1, JSON.stringify(made))
    assert.equal([...new Set(reasons)], ['SUBNET_CONFLICT'])
    assert.equal(
      (await linksShown()).filter(({ linkinfo }) => linkinfo?.info_kind === 'bridge').map(({ ifname }) => ifname),
      made.map(({ bridge }) => bridge),
    )
    assert.equal(
      (await elementsShown('networks')).map((line) => line.replace(/^\d+ /, '')),
      made.map(({ name }) => `comment ${name}`),
    )
    for (const network of made) await network.delete()
  })

  test('when every subnet of the pool is routed', async () => {
    await ip('link add x0 type veth peer name x1', 'link set x0 up', 'route add 172.16.0.0/12 dev x0')
    const failure = await leavesNothing(() => createNetwork({ name: 'lab' }))
    assert.is(failure.code, 'NO_FREE_SUBNET')
    assert.match(failure.message, /each subnet of 172\.18\.0\.0\/15 \(in parts of \/16\), .*: name a subnet/)
  })

  test('when another version of the library has a table', async () => {
    await output('nft', ['-f', '-'], { input: 'table inet netlink-ct { set networks { type ifname; }; }' })
    assert.is((await leavesNothing(() => createNetwork(spec))).code, 'TABLE_IN_USE')
  })

  test('when somebody else has a table of our name', async () => {
    await output('nft', ['-f', '-'], { input: 'table inet netlink-ct { chain mine { ip saddr 10.0.0.1 drop; }; }' })
    const failure = await leavesNothing(() => createNetwork(spec))
    assert.instance(failure, NetworkError)
    assert.is(failure.code, 'TABLE_IN_USE')
    assert.match(failure.message, /a table inet netlink-ct that this library did not make/)
  })

  test('when the namespace of the host is closed', async () => {
    const host = await createNetns()
    await host.close()
    assert.is((await leavesNothing(() => createNetwork({ ...spec, host }))).code, 'ERR_INVALID_STATE')
  })

  test.run()
}

{
  const test = suite('without the capability')
  const lacking = (capability: string) => ({ within: ['setpriv', `--bounding-set=-${capability}`, `--inh-caps=-${capability}`] })
  const told = 'const tell = (e) => ({ code: e.code, syscall: e.syscall, operation: e.operation, message: e.message });'
  interface Told {
    code: string
    syscall: string
    operation?: string
    message: string
  }
  const ask = (body: string, capability: string): Promise<Told[]> =>
    askProgram<Told[]>(`${told} const done = () => 'no error'; console.log(JSON.stringify([${body}]))`, lacking(capability))
  let lab: Network
  test.before(async () => {
    lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
    await output('ip', ['netns', 'add', 'box'])
    await lab.attach({ name: 'web', publish: ['8080:80'] })
  })
  test.after(async () => {
    await lab.delete({ force: true })
    await output('ip', ['netns', 'delete', 'box'])
  })

  test('CAP_NET_ADMIN nothing is made, published, detached or deleted, and the error says what it needs', async () => {
    const before = [await kernelState(), await kernelState('box')]
    const refusals = await ask(
      `await ct.createNetwork({ name: 'more', subnets: ['10.8.0.0/24'] }).then(done, tell),
       ...await (async () => {
         const lab = await ct.openNetwork('lab')
         const web = await lab.endpoint('web')
         return [
           await lab.attach({ name: 'c1' }).then(done, tell),
           await lab.attach({ name: 'c2', netns: 'box', publish: ['8081:80'] }).then(done, tell),
           await web.publish('8082:80').then(done, tell),
           await web.unpublish('8080:80').then(done, tell),
           await web.detach().then(done, tell),
           await lab.delete({ force: true }).then(done, tell),
         ]
       })()`,
      'net_admin',
    )
    const [network, fresh, ...others] = refusals
    for (const refusal of [network, ...others]) {
      assert.is(refusal?.code, 'EPERM', refusal?.message)
      assert.match(refusal?.message ?? '', /needs CAP_NET_ADMIN in the user namespace that owns/)
    }
    // A new namespace is set up before anything is put into it: in a user namespace that is refused first, by the settings' file.
    assert.ok(fresh?.code === 'EPERM' || fresh?.code === 'EACCES', fresh?.message)
    assert.match(fresh?.message ?? '', /make the veth pair|disable_ipv6/)
    assert.is(network?.operation, 'make the bridge br-more')
    assert.match(others[0]?.operation ?? '', /^make the veth pair/)
    assert.equal(changes(before, [await kernelState(), await kernelState('box')]), [])
  })

  test('CAP_SYS_ADMIN no container is attached', async () => {
    const before = await kernelState()
    const [refusal] = await ask(`await (await ct.openNetwork('lab')).attach({ name: 'c1' }).then(done, tell)`, 'sys_admin')
    assert.equal([refusal?.code, refusal?.syscall], ['EPERM', 'unshare'])
    assert.match(refusal?.message ?? '', /needs CAP_SYS_ADMIN/)
    assert.equal(changes(before, await kernelState()), [])
  })

  test.run()
}
