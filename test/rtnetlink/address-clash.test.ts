// An address whose subnet another device has: who is told, and who is not.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import * as assert from 'uvu/assert'
import { type AddressOptions, createNetns, type NetlinkWarning, type Netns } from '../../lib/index.ts'
import { run } from '../support/command.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { ipAddresses } from '../support/witness.ts'

const noVrf = (await run('unshare', ['--net', 'ip', 'link', 'add', 'red', 'type', 'vrf', 'table', '10'])).code !== 0 && 'no VRFs'

const test = suite('an address of a subnet that is routed already')
let ns: Netns
test.before.each(async () => {
  ns = await createNetns()
  for (const name of ['i0', 'i1']) await ns.createLink({ kind: 'ifb', name, up: true })
  await ns.addAddress('i0', '10.9.0.1/24')
  await ns.addAddress('i0', 'fd09::1/64', { nodad: true })
  await ns.addAddress('i0', '10.8.0.1/32')
})
test.after.each(() => ns.close())

async function warnings(channel: string, body: () => Promise<unknown>): Promise<NetlinkWarning[]> {
  const heard: NetlinkWarning[] = []
  const listener = (message: unknown): void => void heard.push(message as NetlinkWarning)
  subscribe(channel, listener)
  await body().finally(() => unsubscribe(channel, listener))
  return heard
}
const told = (body: () => Promise<unknown>): Promise<NetlinkWarning[]> => warnings('netlink-ct:warning', body)

for (const [address, subnet, options] of [
  ['10.9.0.2/24', '10.9.0.0/24', {}],
  ['fd09::2/64', 'fd09::/64', { nodad: true }],
  ['10.7.0.1/24', '10.9.0.0/24', { peer: '10.9.0.3' }],
] as const) {
  test(`is told with the name of the other device: ${address}`, async () => {
    const [warning, ...others] = await told(() => ns.addAddress('i1', address, options))
    assert.equal(others, [])
    assert.match(warning?.message ?? '', new RegExp(`^${subnet} is routed through i0 already: .* one of i0 and i1 only`))
    assert.is(warning?.operation, `add the address ${address} on i1`)
    const shown = await ipAddresses(ns, 'i1')
    assert.ok(shown.some(({ local }) => address.startsWith(`${local}/`)))
  })
}

const quiet: readonly (readonly [why: string, link: string, address: string, options?: AddressOptions])[] = [
  ['it is on the same device', 'i0', '10.9.0.2/24'],
  ['it is another subnet, though a part of that', 'i1', '10.9.0.2/25'],
  ['a metric says which is to win', 'i1', '10.9.0.2/24', { metric: 100 }],
  ['it brings no route', 'i1', '10.9.0.2/24', { noprefixroute: true }],
  ['it is one address', 'i1', '10.8.0.1/32'],
  ['it is link-local', 'i1', 'fe80::7/64', { nodad: true }],
]
for (const [why, link, address, options] of quiet) {
  test(`is not told where ${why}`, async () => {
    assert.equal(await told(() => ns.addAddress(link, address, options)), [])
    assert.ok((await ipAddresses(ns, link)).some(({ local, prefixlen }) => `${local}/${prefixlen}` === address))
  })
}

test.skipIf(noVrf, 'is not told in a VRF, which has a table of its own', async () => {
  await ns.createLink({ kind: 'vrf', name: 'red', table: 10, up: true })
  await ns.setLink('i1', { master: 'red' })
  assert.equal(await told(() => ns.addAddress('i1', '10.9.0.2/24')), [])
})

test('is not told when the address is refused', async () => {
  await ns.addAddress('i1', '10.9.0.2/24')
  const heard = await told(async () => assert.is((await failureOf(ns.addAddress('i1', '10.9.0.2/24'))).code, 'EEXIST'))
  assert.equal(heard, [])
})

test('is not looked for while nobody listens', async () => {
  const requests = await warnings('netlink-ct:request:start', () => ns.addAddress('i1', '10.9.0.2/24'))
  assert.is(requests.length, 2, 'the index and the address')
})

test.run()
