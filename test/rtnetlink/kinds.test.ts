// Links of every kind, with ip(8) as the witness; kinds that the kernel lacks are skipped by name.

import * as assert from 'uvu/assert'
import { createNetns, type LinkSettings, type LinkSpec, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipLink } from '../support/witness.ts'

const test = suite('kinds of links')

/** What the kernel says when it lacks a kind; false when it has it. */
async function lacks(kind: string): Promise<string | false> {
  await using ns = await createNetns()
  const needsLower = ['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap'].includes(kind)
  await run('ip', ['link', 'add', 'low0', 'type', 'ifb'], { netns: ns })
  const options =
    kind === 'vlan' ? ['id', '5'] : kind === 'vrf' ? ['table', '10'] : kind === 'vxlan' ? ['id', '5', 'dstport', '4789'] : []
  const lower = needsLower ? ['link', 'low0'] : []
  const { code, stderr } = await run('ip', ['link', 'add', ...lower, 'name', 'x0', 'type', kind, ...options], { netns: ns })
  return code === 0 ? false : `ip link add type ${kind}: ${stderr.trim()}`
}

const specs: readonly (LinkSpec<Netns> & { readonly shown: Record<string, unknown> })[] = [
  { kind: 'ifb', name: 'x0', shown: {} },
  { kind: 'dummy', name: 'x0', shown: {} },
  { kind: 'wireguard', name: 'x0', shown: {} },
  { kind: 'bridge', name: 'x0', stp: true, ageingTime: 12.5, shown: { stp_state: 1, ageing_time: 1250 } },
  { kind: 'vlan', name: 'x0', link: 'low0', id: 5, protocol: '802.1ad', shown: { id: 5, protocol: '802.1ad' } },
  { kind: 'macvlan', name: 'x0', link: 'low0', mode: 'bridge', broadcastQueue: 77, shown: { mode: 'bridge', bcqueuelen: 77 } },
  {
    kind: 'macvlan',
    name: 'x0',
    link: 'low0',
    mode: 'passthru',
    promiscuous: false,
    shown: { mode: 'passthru', nopromisc: true },
  },
  { kind: 'macvtap', name: 'x0', link: 'low0', mode: 'private', shown: { mode: 'private' } },
  { kind: 'ipvlan', name: 'x0', link: 'low0', mode: 'l3s', isolation: 'private', shown: { mode: 'l3s' } },
  {
    kind: 'vxlan',
    name: 'x0',
    id: 42,
    local: '10.9.0.1',
    remote: '10.9.0.2',
    learning: false,
    ttl: 9,
    shown: { id: 42, port: 4789, remote: '10.9.0.2', local: '10.9.0.1', learning: false, ttl: 9 },
  },
  { kind: 'vrf', name: 'x0', table: 10, shown: { table: 10 } },
  { kind: 'netkit', name: 'x0', mode: 'l2', shown: {} },
]

for (const { shown, ...spec } of specs) {
  test.skipIf(await lacks(spec.kind), `a ${spec.kind} is made with its options, and read back`, async () => {
    await using ns = await createNetns()
    await run('ip', ['link', 'add', 'low0', 'type', 'ifb'], { netns: ns })
    const common: LinkSettings & { readonly altnames: readonly string[] } = {
      ...{ mtu: 1300, alias: 'an alias', altnames: ['another-name-of-it'], group: 7, txqlen: 9, addressGeneration: 'none' },
      ...{ gsoMaxSize: 30000, gsoMaxSegments: 77, groMaxSize: 31000, multicast: false },
    }
    const link = await ns.createLink({ ...(spec as LinkSpec<Netns>), ...common })
    const seen = await ipLink(ns, 'x0')
    assert.is(seen.linkinfo?.info_kind, spec.kind)
    assert.is(seen.ifindex, link.index)
    assert.is(seen.mtu, 1300)
    assert.is(seen.ifalias, 'an alias')
    assert.equal(seen.altnames, ['another-name-of-it'])
    assert.is(seen.group, '7')
    assert.equal([seen.txqlen, seen.inet6_addr_gen_mode, seen.gro_max_size], [9, 'none', 31000])
    assert.equal([seen.gso_max_size, seen.gso_max_segs, seen.flags.includes('MULTICAST')], [30000, 77, false])
    for (const [name, value] of Object.entries(shown)) assert.is(seen.linkinfo?.info_data?.[name], value, name)
    assert.equal(await ns.getLink('x0'), link)
    assert.is(link.kind, spec.kind)
  })
}

test('what was asked of a vxlan is what getLink tells', async () => {
  await using ns = await createNetns()
  const { vxlan } = await ns.createLink({ kind: 'vxlan', name: 'vx', id: 7, remote: 'fd00::2', port: 8472, proxy: true })
  assert.equal(vxlan, {
    id: 7,
    port: 8472,
    ttl: 0,
    learning: false,
    proxy: true,
    l2miss: false,
    l3miss: false,
    external: false,
    remote: 'fd00::2',
    ...(vxlan?.learning ? { learning: true } : {}),
  })
})

test('a macvlan is born in another namespace, on a device of this one', async () => {
  await using ns = await createNetns()
  await using inside = await createNetns()
  await ns.createLink({ kind: 'ifb', name: 'low0', up: true })
  const link = await ns.createLink({
    kind: 'macvlan',
    name: 'eth0',
    link: 'low0',
    mode: 'bridge',
    netns: inside,
    up: true,
    addresses: ['10.0.0.5/24'],
  })
  assert.is((await ipLink(inside, 'eth0')).ifindex, link.index)
  assert.is((await run('ip', ['link', 'show', 'eth0'], { netns: ns })).code, 1)
})

test('any other kind is made by name with its options raw', async () => {
  await using ns = await createNetns()
  // IFLA_VXLAN_ID 9 and IFLA_VXLAN_PORT 4789
  const data = Uint8Array.of(8, 0, 1, 0, 9, 0, 0, 0, 6, 0, 15, 0, 0x12, 0xb5, 0, 0)
  await ns.createLink({ kind: 'other', type: 'vxlan', name: 'vx', data })
  assert.is((await ipLink(ns, 'vx')).linkinfo?.info_data?.['id'], 9)
})

test('a kind that the kernel lacks is refused in its words', async () => {
  await using ns = await createNetns()
  const error = await failureOf(ns.createLink({ kind: 'other', type: 'nosuchkind', name: 'x0' }))
  assert.is(error.code, 'ENOTSUP')
  assert.match(error.message, 'Unknown device type')
  assert.is(error.operation, 'make the nosuchkind x0')
})

test('an address that cannot be added takes the whole link away again', async () => {
  await using ns = await createNetns()
  await ns.createLink({ kind: 'ifb', name: 'a', up: true })
  const before = await kernelState(ns)
  const error = await failureOf(ns.createLink({ kind: 'ifb', name: 'b', addresses: ['10.0.0.1/24', '10.0.0.1/24'], up: true }))
  assert.is(error.code, 'EEXIST')
  assert.equal(await kernelState(ns), before)
})

test('unknown options are refused with the right spelling, before any link is made', async () => {
  await using ns = await createNetns()
  const table: readonly (readonly [spec: object, message: RegExp])[] = [
    [{ kind: 'vxlan', name: 'x', id: 1, lokal: '10.0.0.1' }, /'lokal' is unknown; did you mean 'local'/],
    [{ kind: 'vxlan', name: 'x', id: 2 ** 24 }, /link\.id must be from 0 to 16777215/],
    [{ kind: 'vlan', name: 'x', id: 4095 }, /link\.id must be from 0 to 4094/],
    [{ kind: 'macvlan', name: 'x', mode: 'brigde' }, /did you mean 'bridge'/],
    [{ kind: 'brdige', name: 'x' }, /did you mean 'bridge'/],
    [{ kind: 'ifb', name: 'x', id: 5 }, /'id' is unknown/],
    [{ kind: 'ifb', name: 'a-name-of-16-chars' }, /length of link\.name/],
  ]
  for (const [spec, message] of table) {
    const error = await failureOf(ns.createLink(spec as LinkSpec<Netns>))
    assert.match(error.message, message)
    assert.ok(error instanceof TypeError || error instanceof RangeError)
  }
  assert.equal(
    (await ns.listLinks()).map(({ name }) => name),
    ['lo'],
  )
})

test.run()
