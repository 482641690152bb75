// Our table in the kernel: the words nft prints for it, the same objects as nft itself makes of those words, and the errors of elements.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import { kernel, NetlinkError } from '../../lib/errors.ts'
import { host as hostNetns } from '../../lib/index.ts'
import { native } from '../../lib/native.ts'
import {
  compiledTable,
  containerElements,
  elementsAdded,
  elementsRemoved,
  limitSetsOf,
  networkAdded,
  networkRemoved,
  pendingElements,
  portElement,
  portSets,
  prefixLengthOf,
  publishedElement,
  readLimits,
  readOpenPorts,
  readPorts,
  readSources,
  resolverMoved,
  senderElements,
} from '../../lib/network/firewall/index.ts'
import { elementsIn } from '../../lib/network/port/holders.ts'
import type { KernelMessage } from '../../lib/nftables/message.ts'
import { json, output, run } from '../support/command.ts'
import { suite } from '../support/suite.ts'

const test = suite('the firewall table')

const expected = readFileSync(join(import.meta.dirname, 'ruleset.nft'), 'utf8')
const frames = readFileSync(join(import.meta.dirname, 'frames.nft'), 'utf8')
const host = native.home()
const transact = (messages: readonly KernelMessage[]): Promise<unknown> => kernel(native.transact(host, messages))

const web = {
  driver: 'ptp',
  adopted: false,
  reserved: [],
  gateways: ['10.1.0.1', 'fd00:1::1'],
  name: 'web',
  group: 100,
  subnets: ['10.1.0.0/24', 'fd00:1::/64'],
  internal: false,
  icc: true,
  masquerade: { ipv6: '2001:db8::7' },
  gatewayMode: { ipv4: 'nat', ipv6: 'nat' },
  trusted: ['wg0'],
  dnsPort: 1053,
  antiSpoofing: true,
} as const
const inner = {
  driver: 'bridge',
  adopted: false,
  reserved: [],
  gateways: ['255.255.255.1'],
  name: 'in',
  group: 0x40000007,
  subnets: ['255.255.255.0/24'],
  internal: true,
  icc: false,
  masquerade: false,
  gatewayMode: { ipv4: 'nat' },
  trusted: [],
  antiSpoofing: false,
} as const
const routed = {
  ...web,
  driver: 'bridge',
  gateways: ['10.2.0.1', 'fd00:2::1'],
  name: 'routed',
  group: 101,
  subnets: ['10.2.0.0/24', 'fd00:2::/64'],
  masquerade: false,
  gatewayMode: { ipv4: 'routed', ipv6: 'routed' },
  trusted: [],
  antiSpoofing: false,
} as const
const joined = {
  ...inner,
  adopted: true,
  // One lies in another, one beside it.
  reserved: ['10.3.0.0/26', '10.3.0.0/25', '10.3.0.0/25', '10.3.0.128/27', 'fd00:3::/80'],
  gateways: ['10.3.0.200', 'fd00:3::1:0:0:1'],
  name: 'joined',
  group: 102,
  subnets: ['10.3.0.0/24', 'fd00:3::/64'],
  internal: false,
  icc: true,
  masquerade: true,
  gatewayMode: { ipv4: 'nat', ipv6: 'nat' },
} as const
const address = Uint8Array.of(10, 1, 0, 2)
const address6 = Uint8Array.from([0xfd, 0, 0, 1, ...Array(11).fill(0), 2])
const http = { family: 2, protocol: 6, hostPort: 8080, containerPort: 80 } as const
const dns = { family: 2, protocol: 17, hostAddress: Uint8Array.of(127, 0, 0, 1), hostPort: 53, containerPort: 53 } as const
const http6 = { ...http, family: 10 } as const
const http6At = { ...http6, hostAddress: address6, hostPort: 8081 }
const from = [[Uint8Array.of(192, 0, 2, 0), Uint8Array.of(192, 0, 2, 255)]] as const
const from6 = [[Uint8Array.of(0xfd, ...Array(15).fill(0)), Uint8Array.of(0xfd, ...Array(15).fill(255))]] as const
const limited = { ...http, hostPort: 8082, from } as const
const limitedAt = { ...dns, hostPort: 54, from } as const
const limited6 = { ...http6, hostPort: 8082, from: from6 } as const
const limited6At = { ...http6At, hostPort: 8083, from: from6 } as const
const open = [
  { family: 2, protocol: 6, port: 80 },
  { family: 2, protocol: 17, port: 53, from },
  { family: 10, protocol: 6, port: 80 },
  { family: 10, protocol: 17, port: 53, from: from6 },
] as const
const ports = { published: [http, dns, limited, limitedAt, http6, http6At, limited6, limited6At], open }
const elements = [
  ...containerElements(ports, address, 'web/a'),
  publishedElement(address, 'web/a'),
  ...containerElements(ports, address6, 'web/a'),
  publishedElement(address6, 'web/a'),
]

test.before.each(async () => {
  await transact(compiledTable().messages)
  await transact(networkAdded(web))
  await transact(networkAdded(inner))
  await transact(networkAdded(routed))
  await transact(networkAdded(joined))
  await transact(elementsAdded(elements))
})
test.after.each(async () => {
  await output('nft', ['flush', 'ruleset'])
})

/** The listing without what the kernel numbers. */
async function listing(): Promise<unknown[]> {
  const { nftables } = await json<{ nftables: Record<string, Record<string, unknown>>[] }>('nft', ['list', 'ruleset'])
  return nftables.map((object) =>
    Object.fromEntries(Object.entries(object).map(([kind, value]) => [kind, { ...value, handle: undefined }])),
  )
}

/** The rules as the kernel has them: `nft --debug=netlink` prints what it reads. Elements are in the listing, and in no order here. */
async function bytecode(): Promise<string[]> {
  const printed = await output('nft', ['--debug=netlink', 'list', 'ruleset'])
  // nft turns a byte around, two at a time: nothing happens.
  const isNothing = /\[ byteorder reg \d+ = hton\(reg \d+, 2, 1\) \]/
  return printed.split('\n').filter((line) => /^ {2}\[ |^ {2}userdata|^inet netlink-ct/.test(line) && !isNothing.test(line))
}

async function refusal(messages: readonly KernelMessage[]): Promise<NetlinkError> {
  try {
    await transact(messages)
  } catch (error) {
    if (error instanceof NetlinkError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('nft prints it in readable words', async () => {
  assert.is(await output('nft', ['list', 'ruleset']), expected)
})

test('nft makes the same objects of those words', async () => {
  const ours = { objects: await listing(), bytecode: await bytecode() }
  await output('nft', ['flush', 'ruleset'])
  await output('nft', ['-f', '-'], { input: expected })
  assert.equal(await listing(), ours.objects)
  assert.equal(await bytecode(), ours.bytecode)
  assert.ok(ours.bytecode.length > 60)
})

test('a second table is refused', async () => {
  const error = await refusal(compiledTable().messages)
  assert.is(error.code, 'EEXIST')
  assert.is(error.syscall, 'NFT_MSG_NEWTABLE')
})

test('the same network again is no error, unless it is a new one', async () => {
  await transact(networkAdded(web))
  const error = await refusal(networkAdded({ ...web, name: 'other', group: 102 }, { exclusive: true }))
  assert.is(error.code, 'EEXIST')
  assert.is(await output('nft', ['list', 'ruleset']), expected)
})

for (const subnet of ['10.1.0.0/25', '10.1.0.128/25', '10.0.0.0/8', '10.1.0.0/16']) {
  test(`a network inside or around another one's subnet is refused: ${subnet}`, async () => {
    const error = await refusal(networkAdded({ ...web, name: 'other', group: 102, subnets: [subnet] }, { exclusive: true }))
    assert.is(error.code, 'EEXIST')
    assert.is(await output('nft', ['list', 'ruleset']), expected)
  })
}

test('a port that is taken is refused, with its place among the elements, and none of them is added', async () => {
  const other = Uint8Array.of(10, 1, 0, 3)
  const free = [1, 2].map((hostPort) => portElement({ ...http, hostPort }, other, 'web/b'))
  const error = await refusal(elementsAdded([...free, portElement(http, other, 'web/b')]))
  assert.is(error.code, 'EEXIST')
  assert.is(error.syscall, 'NFT_MSG_NEWSETELEM')
  assert.is(error.attribute, 'NFTA_SET_ELEM_LIST_ELEMENTS[2]')
  assert.is(await output('nft', ['list', 'ruleset']), expected)
})

test('ports are read back as they were published', async () => {
  const sets = Object.values(portSets).flatMap(({ any, one, open: all, openFrom }) => [any, one, all, openFrom])
  const limits = ports.published.flatMap(limitSetsOf)
  const dumps = await Promise.all([...sets, ...new Set(limits)].map((set) => elementsIn(hostNetns, set)))
  const dumped = dumps.flat()
  const sourcesOf = readSources(dumped)
  const read = readPorts(dumped).map((port) => ({ ...port, from: sourcesOf(port) }))
  const text = (listed: readonly object[]): string[] => listed.map((port) => inspect(port, { sorted: true })).sort()
  assert.equal(
    text(read),
    text(
      ports.published.map((port) => ({
        hostAddress: undefined,
        from: undefined,
        ...port,
        containerAddress: port.family === 2 ? address : address6,
        owner: 'web/a',
      })),
    ),
  )
  assert.equal(
    text(readOpenPorts(dumped)),
    text(
      open.map((port) => {
        return { from: undefined, ...port, containerAddress: port.family === 2 ? address : address6, owner: 'web/a' }
      }),
    ),
  )
  const left = readLimits(dumped, [limited, limited6At])
  const own = [...containerElements({ published: [limited], open: [] }, address, 'web/a').slice(1)]
  const own6 = [...containerElements({ published: [limited6At], open: [] }, address6, 'web/a').slice(1)]
  assert.equal(text(left), text([...own, ...own6].map((element) => ({ ...element, exclusive: false }))))
})

test('a resolver that listens at another port is led to, whichever port it had', async () => {
  for (const dnsPort of [53, 5353, 5353, 1053]) {
    await transact(resolverMoved(web, dnsPort))
    const { stdout } = await run('nft', ['list', 'map', 'inet', 'netlink-ct', 'resolvers6'])
    assert.is(stdout.match(new RegExp(`: fd00:1::1 \\. ${dnsPort}\\b`, 'g'))?.length, 2, stdout)
  }
  assert.is(await output('nft', ['list', 'ruleset']), expected)
})

test('a network is told by its first and its last address', () => {
  assert.equal([...from, ...from6].map(prefixLengthOf), [24, 8])
  assert.is(prefixLengthOf([address, address]), 32)
  assert.is(prefixLengthOf([Uint8Array.of(10, 0, 0, 0), Uint8Array.of(10, 1, 255, 255)]), 15)
})

test('what is removed is gone, and may be removed again', async () => {
  for (let round = 0; round < 2; round++) {
    await transact(elementsRemoved(elements))
    for (const network of [web, inner, routed, joined]) await transact(networkRemoved(network, 'inet'))
  }
  assert.not.match(await output('nft', ['list', 'ruleset']), /elements =/)
})

test('nft prints the table of frames in readable words', async () => {
  await transact(compiledTable('bridge').messages)
  const guarded = { ...inner, antiSpoofing: true }
  await transact(networkAdded(guarded))
  const mac = Uint8Array.of(2, 0x42, 10, 1, 0, 2)
  const senders = senderElements({ hostIfname: 'vaaaaa-2', mac, addresses: [address, address6], isChosen: true }, 'web/a')
  await transact(elementsAdded(senders))
  assert.is(await output('nft', ['list', 'table', 'bridge', 'netlink-ct']), frames)
  await transact(elementsRemoved(senders))
  await transact(networkRemoved(guarded, 'bridge'))
  assert.not.match(await output('nft', ['list', 'table', 'bridge', 'netlink-ct']), /elements =/)
})

test('an element whose address is still being leased lacks only that', () => {
  const addresses = [address, address6]
  const pending = pendingElements(ports, 'web/a', [2, 10])
  const complete = pending.map(({ address: at, addressIn, ...element }) => {
    const put = (bytes: Uint8Array): Uint8Array => Uint8Array.from([...(addresses[at] ?? []), ...bytes])
    if (addressIn === 'neither') return element
    const keyEnd = addressIn === 'key' && element.keyEnd.length > 0 ? put(element.keyEnd) : element.keyEnd
    return { ...element, [addressIn]: put(element[addressIn]), keyEnd }
  })
  assert.equal(complete, elements)
  assert.equal(pendingElements({ published: [], open: [] }, 'web/a', [2, 10]), [])
  assert.equal(pendingElements({ published: [http6], open: [open[2]] }, 'web/a', [2]), [])
})

test.run()
