// Multicast databases of bridges, with bridge(8) as the witness.

import { release } from 'node:os'
import * as assert from 'uvu/assert'
import { createNetns, type MdbFlush, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const test = suite('multicast databases of bridges')

const [major = 0, minor = 0] = release().split('.').map(Number)
const before = (version: number): string | false =>
  (major < 6 || (major === 6 && minor < version)) && `the kernel is older than Linux 6.${version}`

interface Row {
  dev: string
  port: string
  grp: string
  src?: string
  state: string
  protocol?: string
  vid?: number
  flags: string[]
  filter_mode?: string
  source_list?: { address: string }[]
}

/** What snooping finds by itself: IPv6 joins these behind each port, in its own time. */
const isOfIpv6Itself = (group: string): boolean => group.startsWith('ff02:')

async function rows(ns: Netns): Promise<Row[]> {
  const [{ mdb = [] } = {}] = await json<{ mdb?: Row[] }[]>('bridge', ['-d', 'mdb', 'show'], { netns: ns })
  return mdb.filter(({ grp }) => !isOfIpv6Itself(grp))
}

/** `239.1.1.1 on v0 from 10.0.0.1 in 5: permanent static`, in an order of its own. */
async function shown(ns: Netns): Promise<string[]> {
  return (await rows(ns))
    .map(({ port, grp, src, vid, state, protocol }) =>
      [
        `${grp} on ${port}`,
        ...(src === undefined ? [] : [` from ${src}`]),
        ...(vid === undefined ? [] : [` in ${vid}`]),
        `: ${state}`,
        ...(protocol === undefined ? [] : [` ${protocol}`]),
      ].join(''),
    )
    .sort()
}

/** The same, as the library lists it. */
async function listed(ns: Netns): Promise<string[]> {
  const names = new Map((await ns.listLinks()).map(({ index, name }) => [index, name]))
  return (await ns.listMdb())
    .filter(({ group }) => !isOfIpv6Itself(group))
    .map(({ port, group, source, vlan, permanent, protocol }) =>
      [
        `${group} on ${names.get(port)}`,
        ...(source === undefined ? [] : [` from ${source}`]),
        ...(vlan === undefined ? [] : [` in ${vlan}`]),
        `: ${permanent ? 'permanent' : 'temp'}`,
        ...(protocol === undefined ? [] : [` ${protocol}`]),
      ].join(''),
    )
    .sort()
}

async function town(): Promise<Netns> {
  const ns = await createNetns()
  await ns.createBridge({ name: 'br0', up: true, igmpVersion: 3, mldVersion: 2 })
  for (const at of [0, 1])
    await ns.createVethPair({ name: `v${at}`, master: 'br0', up: true, peer: { name: `w${at}`, up: true } })
  return ns
}

const v0 = { bridge: 'br0', port: 'v0' }
const v1 = { bridge: 'br0', port: 'v1' }
const self = { bridge: 'br0', port: 'br0' }

test('groups of IPv4, IPv6 and Ethernet are added, listed and deleted', async () => {
  await using ns = await town()
  const groups = ['239.1.1.1', 'ff15::1', '01:02:03:04:05:06']
  for (const group of groups) await ns.addMdbEntry({ ...v0, group })
  await ns.addMdbEntry({ ...v1, group: '239.1.1.1' })
  const all = groups.map((group) => `${group} on v0: permanent static`).concat('239.1.1.1 on v1: permanent static')
  assert.equal(await shown(ns), all.sort())
  assert.equal(await listed(ns), all)
  for (const group of groups) await ns.deleteMdbEntry({ ...v0, group })
  assert.equal(await shown(ns), ['239.1.1.1 on v1: permanent static'])
})

test('an entry that is not permanent ages, and a permanent one does not', async () => {
  await using ns = await town()
  await ns.setBridge('br0', { multicastMembershipInterval: 100 })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.1', permanent: false })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.2', permanent: true })
  assert.equal(await shown(ns), ['239.1.1.1 on v0: temp static', '239.1.1.2 on v0: permanent static'])
  const entries = (await ns.listMdb()).filter(({ group }) => group.startsWith('239.'))
  const byGroup = Object.fromEntries(entries.map((entry) => [entry.group, entry]))
  const expires = byGroup['239.1.1.1']?.expires ?? 0
  assert.ok(expires > 90 && expires <= 100, `${expires} seconds`)
  assert.is(byGroup['239.1.1.2']?.expires, undefined)
  assert.equal([byGroup['239.1.1.1']?.permanent, byGroup['239.1.1.2']?.permanent], [false, true])

  await ns.setBridge('br0', { multicastMembershipInterval: 0 })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.3', permanent: false })
  await until('the entry is forgotten', async () => !(await shown(ns)).some((row) => row.startsWith('239.1.1.3')))
})

test('the host joins a group, and has no permanent entry', async () => {
  await using ns = await town()
  await ns.addMdbEntry({ ...self, group: '239.1.1.1' })
  assert.equal(await shown(ns), ['239.1.1.1 on br0: temp'])
  const { index } = await ns.getLink('br0')
  const entry = (await ns.listMdb()).find(({ group }) => group === '239.1.1.1')
  assert.equal([entry?.bridge, entry?.port, entry?.permanent], [index, index, false])
  const refused = await failureOf(ns.addMdbEntry({ ...self, group: '239.1.1.2', permanent: true }))
  assert.is(refused.code, 'EINVAL')
  await ns.deleteMdbEntry({ ...self, group: '239.1.1.1' })
  assert.equal(await shown(ns), [])
})

test('an entry from one source, and in one VLAN, is not the entry of the group', async () => {
  await using ns = await town()
  await ns.addMdbEntry({ ...v0, group: '239.1.1.1' })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.1', source: '10.0.0.1' })
  await ns.addMdbEntry({ ...v0, group: 'ff15::1', source: 'fd00::1', permanent: false })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.1', vlan: 5 })
  const all = [
    '239.1.1.1 on v0 from 10.0.0.1: permanent static',
    '239.1.1.1 on v0 in 5: permanent static',
    '239.1.1.1 on v0: permanent static',
    'ff15::1 on v0 from fd00::1: temp static',
  ]
  assert.equal(await shown(ns), all)
  assert.equal(await listed(ns), all)
  await ns.deleteMdbEntry({ ...v0, group: '239.1.1.1', source: '10.0.0.1' })
  await ns.deleteMdbEntry({ ...v0, group: '239.1.1.1', vlan: 5 })
  assert.equal(await shown(ns), ['239.1.1.1 on v0: permanent static', 'ff15::1 on v0 from fd00::1: temp static'])
})

test.skipIf(before(2), 'a list of sources is let through, or kept out, and has entries of its own', async () => {
  await using ns = await town()
  await ns.addMdbEntry({ ...v0, group: '239.1.1.1', filterMode: 'include', sources: ['10.0.0.1', '10.0.0.2'], protocol: 'bgp' })
  await ns.addMdbEntry({ ...v0, group: 'ff15::1', filterMode: 'exclude', sources: ['fd00::3'], permanent: false })
  assert.equal(await shown(ns), [
    '239.1.1.1 on v0 from 10.0.0.1: permanent bgp',
    '239.1.1.1 on v0 from 10.0.0.2: permanent bgp',
    '239.1.1.1 on v0: permanent bgp',
    'ff15::1 on v0 from fd00::3: temp static',
    'ff15::1 on v0: temp static',
  ])
  const witness = (await rows(ns)).filter(({ src }) => src === undefined)
  const ours = (await ns.listMdb()).filter(({ group, source }) => source === undefined && !isOfIpv6Itself(group))
  for (const [group, mode, sources] of [
    ['239.1.1.1', 'include', ['10.0.0.1', '10.0.0.2']],
    ['ff15::1', 'exclude', ['fd00::3']],
  ] as const) {
    const row = witness.find(({ grp }) => grp === group)
    assert.equal([row?.filter_mode, row?.source_list?.map(({ address }) => address).sort()], [mode, sources])
    const entry = ours.find((one) => one.group === group)
    assert.equal([entry?.filterMode, entry?.sources?.map(({ address }) => address).sort()], [mode, sources])
  }
  const blocked = (await rows(ns)).find(({ src }) => src === 'fd00::3')
  assert.equal(blocked?.flags, ['blocked'])
  const entry = (await ns.listMdb()).find(({ source }) => source === 'fd00::3')
  assert.equal([...(entry?.flags ?? [])], ['blocked'])
})

test.skipIf(before(2), 'an entry is replaced as a whole, and made where there is none', async () => {
  await using ns = await town()
  await ns.replaceMdbEntry({ ...v0, group: '239.1.1.1' })
  assert.equal(await shown(ns), ['239.1.1.1 on v0: permanent static'])
  await ns.replaceMdbEntry({
    ...{ ...v0, group: '239.1.1.1', permanent: false, protocol: 'zebra', filterMode: 'include', sources: ['10.0.0.8'] },
  })
  assert.equal(await shown(ns), ['239.1.1.1 on v0 from 10.0.0.8: temp zebra', '239.1.1.1 on v0: temp zebra'])
  await ns.replaceMdbEntry({ ...v0, group: '239.1.1.1', filterMode: 'include', sources: ['10.0.0.9'] })
  assert.equal(await shown(ns), ['239.1.1.1 on v0 from 10.0.0.9: permanent static', '239.1.1.1 on v0: permanent static'])
})

test('what the kernel refuses is said in its words, and nothing is changed', async () => {
  await using ns = await town()
  await ns.addMdbEntry({ ...v0, group: '239.1.1.1' })
  const failures: [call: () => Promise<unknown>, code: string, syscall: string][] = [
    [() => ns.addMdbEntry({ ...v0, group: '239.1.1.1' }), 'EEXIST', 'RTM_NEWMDB'],
    [() => ns.addMdbEntry({ ...v0, group: '224.0.0.1' }), 'EINVAL', 'RTM_NEWMDB'],
    [() => ns.addMdbEntry({ ...v0, group: '239.1.1.2', source: 'fd00::1' }), 'EINVAL', 'RTM_NEWMDB'],
    [() => ns.addMdbEntry({ ...v0, group: '01:02:03:04:05:06', permanent: false }), 'EINVAL', 'RTM_NEWMDB'],
    [() => ns.addMdbEntry({ bridge: 'br0', port: 'w0', group: '239.1.1.2' }), 'EINVAL', 'RTM_NEWMDB'],
    [() => ns.addMdbEntry({ bridge: 'w0', port: 'v0', group: '239.1.1.2' }), 'ENOTSUP', 'RTM_NEWMDB'],
    [() => ns.deleteMdbEntry({ ...v0, group: '239.1.1.2' }), 'EINVAL', 'RTM_DELMDB'],
  ]
  for (const [call, code, syscall] of failures) {
    const error = await failureOf(call())
    assert.equal([error.code, error.syscall], [code, syscall], error.message)
  }
  assert.is((await failureOf(ns.addMdbEntry({ ...v0, port: 'nosuch0', group: '239.1.1.2' }))).code, 'ENODEV')
  assert.is((await failureOf(ns.listMdb({ bridge: 'nosuch0' }))).code, 'ENODEV')
  assert.equal(await shown(ns), ['239.1.1.1 on v0: permanent static'])
})

test('the groups of one bridge are listed, or of all', async () => {
  await using ns = await town()
  await ns.createBridge({ name: 'br1', up: true })
  await ns.createVethPair({ name: 'v2', master: 'br1', up: true, peer: { name: 'w2', up: true } })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.1' })
  await ns.addMdbEntry({ bridge: 'br1', port: 'v2', group: '239.1.1.2' })
  const groups = async (filter?: { bridge: string }): Promise<string[]> =>
    (await ns.listMdb(filter)).map(({ group }) => group).filter((group) => group.startsWith('239.'))
  assert.equal((await groups()).sort(), ['239.1.1.1', '239.1.1.2'])
  assert.equal(await groups({ bridge: 'br0' }), ['239.1.1.1'])
  assert.equal(await groups({ bridge: 'br1' }), ['239.1.1.2'])
})

/** Each has something that no other has. */
async function crowd(): Promise<Netns> {
  const ns = await town()
  await ns.addMdbEntry({ ...v0, group: '239.1.1.1' })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.2', permanent: false })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.3', vlan: 5 })
  await ns.addMdbEntry({ ...v0, group: '239.1.1.4', protocol: 'bgp' })
  await ns.addMdbEntry({ ...v1, group: '239.1.1.5' })
  await ns.addMdbEntry({ ...self, group: '239.1.1.6' })
  return ns
}

const flushes: [what: string, filter: MdbFlush | undefined, left: number[]][] = [
  ['everything', undefined, []],
  ['of one port', { port: 'v0' }, [5, 6]],
  ['of the host', { port: 'br0' }, [1, 2, 3, 4, 5]],
  ['of one VLAN', { vlan: 5 }, [1, 2, 4, 5, 6]],
  ['that is permanent', { permanent: true }, [2, 6]],
  ['that is not permanent', { permanent: false }, [1, 3, 4, 5]],
  ['of one protocol', { protocol: 'bgp' }, [1, 2, 3, 5, 6]],
  ['of one port that is permanent and of a protocol', { port: 'v0', permanent: true, protocol: 'static' }, [2, 4, 5, 6]],
]
for (const [what, filter, left] of flushes) {
  test.skipIf(before(8), `a flush of ${what} leaves the rest`, async () => {
    await using ns = await crowd()
    await ns.flushMdb('br0', filter)
    assert.equal(
      (await rows(ns)).map(({ grp }) => grp).sort(),
      left.map((at) => `239.1.1.${at}`),
    )
  })
}

test.skipIf(before(8), 'what is no bridge has nothing to flush', async () => {
  await using ns = await town()
  const error = await failureOf(ns.flushMdb('w0'))
  assert.equal([error.code, error.syscall, error.operation], ['ENOTSUP', 'RTM_DELMDB', 'flush the multicast groups of w0'])
})

test('a batch adds and deletes, and stops at what is refused', async () => {
  await using ns = await town()
  const done = await ns.batch((batch) =>
    batch
      .addMdbEntry({ ...v0, group: '239.1.1.1' })
      .addMdbEntry({ ...v1, group: '239.1.1.2' })
      .deleteMdbEntry({ ...v0, group: '239.1.1.1' }),
  )
  assert.ok(done.ok, String(done.error))
  assert.equal(await shown(ns), ['239.1.1.2 on v1: permanent static'])
  const refused = await ns.batch((batch) => batch.addMdbEntry({ ...v1, group: '239.1.1.2' }))
  assert.not.ok(refused.ok)
  assert.match(String(refused.error), /already joined/)
})

test.skipIf(before(8), 'a batch replaces and flushes', async () => {
  await using ns = await crowd()
  const done = await ns.batch((batch) =>
    batch
      .flushMdb('br0')
      .replaceMdbEntry({ ...v0, group: '239.1.1.7' })
      .replaceMdbEntry({ ...v0, group: '239.1.1.7', protocol: 'zebra' }),
  )
  assert.ok(done.ok, String(done.error))
  assert.equal(await shown(ns), ['239.1.1.7 on v0: permanent zebra'])
})

test.run()
