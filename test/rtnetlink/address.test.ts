// Addresses of both families, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { type AddressOptions, addAddress, createNetns, deleteAddress, listAddresses, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type IpAddress, ipAddresses } from '../support/witness.ts'

const test = suite('addresses')

async function town(): Promise<Netns> {
  const ns = await createNetns()
  await output('ip', ['-batch', '-'], {
    netns: ns,
    input: 'link add br0 type bridge\nlink add br1 type bridge\nlink set br0 up\nlink set lo up',
  })
  return ns
}

/** The addresses of br0 but for the link-local ones, as `ip` shows them. */
const seen = async (ns: Netns): Promise<IpAddress[]> =>
  (await ipAddresses(ns, 'br0')).filter(({ local }) => !local.startsWith('fe80:'))

test('each option arrives as ip shows it', async () => {
  const table: [
    cidr: string,
    options: AddressOptions | undefined,
    expected: { [K in keyof IpAddress]?: IpAddress[K] | undefined },
  ][] = [
    [
      '172.18.0.10/16',
      undefined,
      { local: '172.18.0.10', prefixlen: 16, broadcast: '172.18.255.255', scope: 'global', label: 'br0' },
    ],
    ['10.0.0.1/30', undefined, { broadcast: '10.0.0.3' }],
    ['10.0.0.0/31', undefined, { prefixlen: 31, broadcast: undefined }],
    ['10.0.0.1/32', undefined, { prefixlen: 32, broadcast: undefined }],
    ['10.0.0.1/24', { broadcast: false }, { broadcast: undefined }],
    ['10.0.0.1/24', { broadcast: '10.0.0.127' }, { broadcast: '10.0.0.127' }],
    ['10.0.0.1/24', { scope: 'link' }, { scope: 'link' }],
    ['10.0.0.1/24', { scope: 'host' }, { scope: 'host' }],
    ['127.0.0.9/8', undefined, { scope: 'host' }],
    ['10.0.0.1/24', { label: 'br0:web' }, { label: 'br0:web' }],
    ['10.0.0.1/32', { peer: '10.0.0.2' }, { local: '10.0.0.1', address: '10.0.0.2', prefixlen: 32 }],
    ['10.0.0.1/24', { noprefixroute: true }, { noprefixroute: true }],
    ['10.0.0.1/24', { metric: 77 }, { metric: 77 }],
    ['fd00::10/64', undefined, { local: 'fd00::10', prefixlen: 64, scope: 'global', broadcast: undefined }],
    ['fd00::10/128', { nodad: true }, { nodad: true, prefixlen: 128 }],
    ['fd00::10/64', { noprefixroute: true, metric: 5 }, { noprefixroute: true, metric: 5 }],
    ['FD00:0:0::0010/64', undefined, { local: 'fd00::10' }],
  ]
  await using ns = await town()
  for (const [cidr, options, expected] of table) {
    const before = await kernelState(ns)
    await ns.addAddress('br0', cidr, options)
    const [address, ...more] = await seen(ns)
    assert.is(more.length, 0)
    const row = `${cidr} ${JSON.stringify(options)}`
    for (const [key, value] of Object.entries(expected)) assert.is(address?.[key as keyof IpAddress], value, `${row}: ${key}`)
    await ns.deleteAddress('br0', cidr, options?.peer === undefined ? {} : { peer: options.peer })
    assert.equal(await kernelState(ns), before, row)
  }
})

test('what is listed is what ip shows, for both families and every device', async () => {
  await using ns = await town()
  await output('ip', ['-batch', '-'], {
    netns: ns,
    input: `address add 172.18.0.1/16 brd + dev br0 label br0:x
      address add 10.0.0.1 peer 10.0.0.2/32 dev br0 scope link
      address add fd00::1/64 dev br0 nodad
      address add 192.0.2.1/24 dev br1`,
  })
  const links = new Map((await ns.listLinks()).map((link) => [link.index, link.name]))
  const all = (await ns.listAddresses()).filter(({ address }) => !address.startsWith('fe80:'))
  assert.equal(
    all.map((info) => `${links.get(info.link)} ${info.address}`),
    ['lo 127.0.0.1/8', 'br0 10.0.0.1/32', 'br0 172.18.0.1/16', 'br1 192.0.2.1/24', 'lo ::1/128', 'br0 fd00::1/64'],
  )
  const find = (address: string): (typeof all)[number] | undefined => all.find((info) => info.address === address)
  const index = (await ns.getLink('br0')).index
  assert.equal(find('172.18.0.1/16'), {
    address: '172.18.0.1/16',
    family: 'inet',
    link: index,
    scope: 'global',
    flags: ['permanent'],
    label: 'br0:x',
    broadcast: '172.18.255.255',
  })
  assert.equal([find('10.0.0.1/32')?.peer, find('10.0.0.1/32')?.scope], ['10.0.0.2', 'link'])
  assert.equal(find('fd00::1/64'), {
    address: 'fd00::1/64',
    family: 'inet6',
    link: index,
    scope: 'global',
    flags: ['nodad', 'permanent'],
  })
  assert.equal(JSON.parse(JSON.stringify(all)), all)
})

test('the list is filtered by device and by family', async () => {
  await using ns = await town()
  await ns.addAddress('br0', '10.0.0.1/24')
  await ns.addAddress('br0', 'fd00::1/64', { nodad: true })
  await ns.addAddress('br1', '10.0.1.1/24')
  const list = async (filter: Parameters<Netns['listAddresses']>[0]): Promise<string[]> =>
    (await ns.listAddresses(filter)).map(({ address }) => address).filter((address) => !address.startsWith('fe80:'))
  assert.equal(await list({ link: 'br0' }), ['10.0.0.1/24', 'fd00::1/64'])
  assert.equal(await list({ link: 'br0', family: 'inet' }), ['10.0.0.1/24'])
  assert.equal(await list({ link: await ns.getLink('br0'), family: 'inet6' }), ['fd00::1/64'])
  assert.equal(await list({ family: 'inet' }), ['127.0.0.1/8', '10.0.0.1/24', '10.0.1.1/24'])
  assert.equal(await list({ family: 'inet6', link: 'br1' }), [])
  assert.is((await failureOf(ns.listAddresses({ link: 'nobody' }))).code, 'ENODEV')
})

test("an address that is there already is EEXIST, in the kernel's words", async () => {
  await using ns = await town()
  await ns.addAddress('br0', '10.0.0.1/24')
  const before = await kernelState(ns)
  const error = await failureOf(ns.addAddress('br0', '10.0.0.1/24'))
  assert.equal(
    [error.code, error.errno, error.syscall, error.operation, error.extack, error.index],
    ['EEXIST', -17, 'RTM_NEWADDR', 'add the address 10.0.0.1/24', 'ipv4: Address already assigned', 0],
  )
  assert.match(
    error.message,
    /^EEXIST: file already exists, RTM_NEWADDR: add the address 10\.0\.0\.1\/24: ipv4: Address already assigned$/,
  )
  assert.equal(await kernelState(ns), before)
  await ns.addAddress('br0', 'fd00::1/64')
  assert.equal((await failureOf(ns.addAddress('br0', 'fd00::1/64'))).extack, 'ipv6: address already assigned')
})

test("a device index that does not exist is ENODEV, in the kernel's words", async () => {
  await using ns = await town()
  const error = await failureOf(ns.addAddress(4711, '10.0.0.1/24'))
  assert.equal([error.code, error.extack], ['ENODEV', 'ipv4: Device not found'])
})

test('deleting an address that the device does not have is EADDRNOTAVAIL', async () => {
  await using ns = await town()
  await ns.addAddress('br0', '10.0.0.1/24')
  for (const cidr of ['10.0.0.2/24', '10.0.0.1/25', 'fd00::9/64']) {
    const error = await failureOf(ns.deleteAddress('br0', cidr))
    assert.equal([error.code, error.syscall, error.operation], ['EADDRNOTAVAIL', 'RTM_DELADDR', `delete the address ${cidr}`])
  }
  assert.is((await seen(ns)).length, 1)
})

test('a point-to-point address is deleted by both of its ends', async () => {
  await using ns = await town()
  await ns.addAddress('br0', '10.0.0.1/32', { peer: '10.0.0.2' })
  await ns.addAddress('br0', '10.0.0.1/32', { peer: '10.0.0.3' })
  assert.is((await failureOf(ns.deleteAddress('br0', '10.0.0.1/32'))).code, 'EADDRNOTAVAIL')
  await ns.deleteAddress('br0', '10.0.0.1/32', { peer: '10.0.0.2' })
  assert.equal(
    (await seen(ns)).map(({ address }) => address),
    ['10.0.0.3'],
  )
})

test('the exported functions act in the namespace of this process', async () => {
  const before = await kernelState()
  await addAddress('lo', '127.0.0.77/32')
  assert.ok((await ipAddresses(undefined, 'lo')).some(({ local }) => local === '127.0.0.77'))
  assert.ok((await listAddresses({ link: 'lo' })).some(({ address }) => address === '127.0.0.77/32'))
  await deleteAddress('lo', '127.0.0.77/32')
  assert.equal(await kernelState(), before)
})

test.run()
