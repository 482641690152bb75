// Containers on the wire under the MAC of the parent.

import * as assert from 'uvu/assert'
import { type AttachSpec, createNetwork, host, type LanNetworkSpec, type Link, openNetwork } from '../../../lib/index.ts'
import { native } from '../../../lib/native.ts'
import { creation } from '../../../lib/network/driver/lan-device.ts'
import { failureOf } from '../../support/failure.ts'
import { createLab, type Lab, output, run } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { address, inside, leavesNothing, reaches, subnets } from '../support/lan.ts'
import { sweep } from '../support/sweep.ts'
import { linkShown, routesShown } from '../support/witness.ts'

let lab: Lab

/** By their numbers, without the flag of a nest. */
function attributesOf(raw: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= raw.length; at += (raw.readUInt16LE(at) + 3) & ~3) {
    found.set(raw.readUInt16LE(at + 2) & 0x3fff, raw.subarray(at + 4, at + raw.readUInt16LE(at)))
  }
  return found
}

const test = suite('a network on a wire under the MAC of the parent (ipvlan)')
const neighbors: LanNetworkSpec = { name: 'wire', driver: 'ipvlan', parent: 'lan0', subnets, gateways: ['192.0.2.9'] }
const routed: LanNetworkSpec = { name: 'wire', driver: 'ipvlan', mode: 'l3', parent: 'lan0', subnets: ['198.51.100.0/24'] }
test.before(async () => {
  lab = await createLab()
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})

/** What the kernel says when it lacks the driver. */
const lacks = async (): Promise<string | false> => {
  await output('ip', ['link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1'])
  const { code, stderr } = await run('ip', ['link', 'add', 'probe0', 'link', 'v0', 'type', 'ipvlan', 'mode', 'l2'])
  await output('ip', ['link', 'delete', 'v0'])
  return code === 0 ? false : `ip link add type ipvlan: ${stderr.trim()}`
}
const lacking = await lacks()

test.skipIf(lacking, 'l2: the LAN reaches a container, which has the parent’s MAC', async () => {
  const network = await createNetwork(neighbors)
  const web = await network.attach({ name: 'web' })
  assert.is(web.mac, (await linkShown('lan0'))?.address)
  assert.is((await linkShown('eth0', inside(web)))?.linkinfo?.info_data?.['mode'], 'l2')
  assert.ok(await reaches(lab.lan, address(web)))
  assert.ok((await routesShown(inside(web))).includes('default via 192.0.2.9 dev eth0'))
  await network.delete({ force: true })
})

test.skipIf(lacking, 'l3: the way out is the device itself', async () => {
  const network = await createNetwork(routed)
  const web = await network.attach({ name: 'web' })
  assert.is((await linkShown('eth0', inside(web)))?.linkinfo?.info_data?.['mode'], 'l3')
  assert.ok((await routesShown(inside(web))).includes('default dev eth0'))
  const second = { ...routed, name: 'other', mode: 'l3s', subnets: ['203.0.113.128/25'] } as LanNetworkSpec
  assert.match((await failureOf(createNetwork(second))).message, /all ipvlan devices of a parent have one mode, here l3/)
  await network.delete({ force: true })
})

test.skipIf(
  !lacking && 'the kernel has ipvlan',
  'is refused by a kernel without it when a container comes, and nothing is left',
  async () => {
    const network = await createNetwork(routed)
    assert.equal([network.driver, network.mode, network.gateways], ['ipvlan', 'l3', []])
    assert.equal((await openNetwork('wire')).toJSON(), network.toJSON())
    const failure = await leavesNothing(() => network.attach({ name: 'web' }))
    assert.equal([failure.code, failure.operation], ['ENOTSUP', 'make the ipvlan eth0 on lan0'])
    assert.match(
      (await failureOf(network.attach({ name: 'web', mac: '02:00:00:00:00:07' }))).message,
      /mac is the parent's with ipvlan/,
    )
    await network.delete()
  },
)

test('refuses what its containers cannot have before anything is done, and remembers its isolation', async () => {
  const network = await createNetwork({ ...routed, mode: 'l3s', isolation: 'private' })
  assert.equal([network.device, network.icc], [{ isolation: 'private' }, false])
  assert.equal((await openNetwork('wire')).toJSON(), network.toJSON())
  const second = { ...routed, name: 'other', mode: 'l3s', subnets: ['203.0.113.128/25'] } as LanNetworkSpec
  assert.match(
    (await failureOf(createNetwork(second))).message,
    /all ipvlan devices of a parent have one isolation, here private/,
  )
  const refused: readonly (readonly [Partial<AttachSpec>, RegExp])[] = [
    [
      { bandwidth: { ingress: '8mbit' } },
      /bandwidth\.ingress cannot be limited in the mode l3s: what comes in passes the queues of/,
    ],
    [
      { routes: [{ to: '10.0.0.0/8', via: '198.51.100.7' }] },
      /routes\[0\]\.via makes no sense where the device itself is the way/,
    ],
    [{ mac: '02:00:00:00:00:07' }, /mac is the parent's with ipvlan/],
    [{ publish: ['80:80'] }, /publish makes no sense with the driver ipvlan/],
  ]
  for (const [options, message] of refused) {
    const failure = await leavesNothing(() => network.attach({ name: 'web', ...options }))
    assert.is(failure.code, 'ERR_INVALID_ARG_VALUE')
    assert.match(failure.message, message)
  }
  await network.delete()
})

test('asks for its mode by the kernel’s number, and for no MAC', async () => {
  const parent = (await host.listLinks()).find(({ name }) => name === 'lan0')
  assert.ok(parent)
  const kind = Buffer.from('ipvlan')
  for (const [mode, number, isolation, flags] of [
    ['l2', 0, 'bridge', 0],
    ['l3', 1, 'private', 1],
    ['l3s', 2, 'vepa', 2],
  ] as const) {
    const device = {
      driver: 'ipvlan',
      mode,
      options: { isolation },
      parent: parent as Link,
      ifname: 'eth0',
      mac: undefined,
      mtu: 1500,
      group: 7,
    } as const
    const raw = Buffer.from(native.encoded(creation(device, 2 ** 30, 3)) ?? [])
    const attributes = attributesOf(raw.subarray(16 + 16)) // nlmsghdr, ifinfomsg
    assert.equal(
      [...attributes.keys()].sort((a, b) => a - b),
      [3, 4, 5, 18, 27, 28],
    ) // IFLA_IFNAME, _MTU, _LINK, _LINKINFO, _GROUP, _NET_NS_FD
    assert.is(attributes.get(5)?.readUInt32LE(), parent?.index)
    const info = attributesOf(attributes.get(18) as Buffer)
    assert.ok(info.get(1)?.subarray(0, kind.length).equals(kind)) // IFLA_INFO_KIND
    const data = attributesOf(info.get(2) as Buffer) // IFLA_INFO_DATA
    assert.equal([data.get(1)?.readUInt16LE(), data.get(2)?.readUInt16LE()], [number, flags]) // IFLA_IPVLAN_MODE, _FLAGS
  }
})

test.run()
