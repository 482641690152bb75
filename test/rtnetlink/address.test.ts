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
    ['fd00::10/64', { home: true }, { home: true }],
    ['fd00::10/64', { mngtmpaddr: true }, { mngtmpaddr: true }],
    ['ff02::77/128', { autojoin: true }, { autojoin: true }],
    ['10.0.0.1/24', { validLifetime: 'forever' }, { valid_life_time: 4294967295, preferred_life_time: 4294967295 }],
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
    validLifetime: 'forever',
    preferredLifetime: 'forever',
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
    validLifetime: 'forever',
    preferredLifetime: 'forever',
  })
  assert.equal(JSON.parse(JSON.stringify(all)), all)
})

test('lifetimes arrive as ip shows them, and are read back', async () => {
  await using ns = await town()
  for (const cidr of ['10.0.0.1/24', 'fd00::1/64']) {
    await ns.addAddress('br0', cidr, { validLifetime: 5000, preferredLifetime: 4000, nodad: cidr.includes(':') })
    const [shown] = await seen(ns)
    assert.ok(near(shown?.valid_life_time, 5000) && near(shown?.preferred_life_time, 4000), JSON.stringify(shown))
    assert.is(shown?.dynamic, true)
    const [info] = await ns.listAddresses({ link: 'br0', scope: 'global' })
    assert.ok(near(info?.validLifetime, 5000) && near(info?.preferredLifetime, 4000), JSON.stringify(info))
    assert.not.ok(info?.flags.includes('permanent'))

    await ns.replaceAddress('br0', cidr, { validLifetime: 900 })
    const [shorter] = await seen(ns)
    assert.ok(near(shorter?.valid_life_time, 900) && near(shorter?.preferred_life_time, 900), JSON.stringify(shorter))

    await ns.replaceAddress('br0', cidr, { validLifetime: 900, preferredLifetime: 0 })
    assert.is((await seen(ns))[0]?.deprecated, true)
    assert.ok((await ns.listAddresses({ link: 'br0', scope: 'global' }))[0]?.flags.includes('deprecated'))

    await ns.replaceAddress('br0', cidr)
    const [endless] = await seen(ns)
    assert.equal([endless?.valid_life_time, endless?.dynamic, endless?.deprecated], [0xffffffff, undefined, undefined])
    await ns.deleteAddress('br0', cidr)
  }
})

/** Not more than what was asked for, and not much less. */
const near = (seconds: number | string | undefined, asked: number): boolean =>
  typeof seconds === 'number' && seconds <= asked && seconds > asked - 60

test('an address whose life is over is gone, and the kernel says so', async () => {
  await using ns = await town()
  await using watch = ns.watch({ addresses: true })
  await ns.addAddress('br0', '10.0.0.1/24', { validLifetime: 1 })
  let went = false
  for await (const event of watch) {
    if (event.type !== 'address' || event.address.address !== '10.0.0.1/24' || event.action !== 'delete') continue
    went = true
    break
  }
  assert.ok(went)
  assert.equal(await seen(ns), [])
})

test('replaceAddress makes an address that is not there', async () => {
  await using ns = await town()
  await ns.replaceAddress('br0', '10.0.0.1/24', { label: 'br0:a' })
  await ns.replaceAddress('br0', '10.0.0.1/24', { metric: 33 })
  assert.equal(
    (await seen(ns)).map(({ local, label, metric }) => [local, label, metric]),
    [['10.0.0.1', 'br0:a', 33]],
  )
})

test('a second address of a network is secondary in IPv4, and what the kernel knows of an IPv6 one is said', async () => {
  await using ns = await town()
  await ns.addAddress('br0', '10.0.0.1/24')
  await ns.addAddress('br0', '10.0.0.2/24', { metric: 9, protocol: 5 })
  const [first, second] = await ns.listAddresses({ link: 'br0', family: 'inet' })
  assert.equal(first?.flags, ['permanent'])
  assert.equal(second?.flags, ['secondary', 'permanent'])
  assert.equal([second?.metric, second?.protocol], [9, 5])
  // Without a carrier duplicate address detection does not begin.
  await ns.addAddress('br0', 'fd00::1/64')
  await ns.addAddress('br0', 'fd00::2/64', { mngtmpaddr: true, nodad: true })
  const shown = (await seen(ns)).filter(({ family }) => family === 'inet6')
  const listed = await ns.listAddresses({ link: 'br0', family: 'inet6', scope: 'global' })
  assert.equal(
    shown.map(({ local, tentative, mngtmpaddr, temporary }) => [
      local,
      tentative === true,
      mngtmpaddr === true,
      temporary === true,
    ]),
    listed.map(({ address, flags }) => [
      address.slice(0, address.indexOf('/')),
      flags.includes('tentative'),
      flags.includes('mngtmpaddr'),
      flags.includes('temporary'),
    ]),
  )
  assert.ok(listed.some(({ flags }) => flags.includes('tentative')))
  // The ip of many distributions does not show the protocol; the kernel's own mark is the witness.
  assert.is((await ns.listAddresses({ link: 'lo', family: 'inet6' }))[0]?.protocol, 'kernel_lo')
})

test('a flush deletes what matches, and tells what that was', async () => {
  await using ns = await town()
  for (const cidr of ['10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/24', '10.1.0.1/16', 'fd00::1/64']) await ns.addAddress('br0', cidr)
  await ns.addAddress('br1', '10.0.0.9/24')
  await ns.addAddress('br0', '192.0.2.1/24', { scope: 'link', validLifetime: 1000 })
  const left = async (): Promise<string[]> => (await seen(ns)).map(({ local }) => local)
  assert.equal(
    (await ns.flushAddresses({ link: 'br0', scope: 'link', family: 'inet' })).map(({ address }) => address),
    ['192.0.2.1/24'],
  )
  // The first of them is primary: with promote_secondaries off the others go with it.
  await ns.setSysctl('net.ipv4.conf.br0.promote_secondaries', 0)
  await ns.setSysctl('net.ipv4.conf.all.promote_secondaries', 0)
  assert.equal(
    (await ns.flushAddresses({ link: 'br0', to: '10.0.0.0/24' })).map(({ address }) => address),
    ['10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/24'],
  )
  assert.equal(await left(), ['10.1.0.1', 'fd00::1'])
  assert.is((await ns.flushAddresses({ link: 'br0', flags: ['deprecated'] })).length, 0)
  await ns.flushAddresses({ family: 'inet' })
  assert.equal(await left(), ['fd00::1'])
  assert.equal(await ipAddresses(ns, 'br1').then((all) => all.filter(({ family }) => family === 'inet')), [])
  assert.equal(await ns.flushAddresses({ link: 'br0', to: '10.0.0.0/8' }), [])
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
    ['EEXIST', -17, 'RTM_NEWADDR', 'add the address 10.0.0.1/24 on br0', 'ipv4: Address already assigned', 0],
  )
  assert.match(
    error.message,
    /^EEXIST: file already exists, RTM_NEWADDR: add the address 10\.0\.0\.1\/24 on br0: ipv4: Address already assigned$/,
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
    assert.equal(
      [error.code, error.syscall, error.operation],
      ['EADDRNOTAVAIL', 'RTM_DELADDR', `delete the address ${cidr} on br0`],
    )
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
