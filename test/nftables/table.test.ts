// Our table in the kernel: the words nft prints for it, the same objects as nft itself makes of those words, and the errors of elements.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { kernel, NetlinkError } from '../../lib/errors.ts'
import { native } from '../../lib/native.ts'
import {
  compiledTable,
  elementsAdded,
  elementsRemoved,
  listElements,
  networkAdded,
  networkRemoved,
  pendingElements,
  portElement,
  portSets,
  publishedElement,
  readPorts,
} from '../../lib/network/firewall/index.ts'
import type { KernelMessage } from '../../lib/nftables/message.ts'
import { read } from '../../lib/rtnetlink/exchange.ts'
import { json, output } from '../support/command.ts'
import { suite } from '../support/suite.ts'

const test = suite('the firewall table')

const expected = readFileSync(join(import.meta.dirname, 'ruleset.nft'), 'utf8')
const host = native.home()
const transact = (messages: readonly KernelMessage[]): Promise<unknown> => kernel(native.transact(host, messages))

const web = {
  driver: 'ptp',
  gateways: ['10.1.0.1', 'fd00:1::1'],
  name: 'web',
  group: 100,
  subnets: ['10.1.0.0/24', 'fd00:1::/64'],
  internal: false,
  icc: true,
  masquerade: { ipv6: '2001:db8::7' },
} as const
const inner = {
  driver: 'bridge',
  gateways: ['255.255.255.1'],
  name: 'in',
  group: 0x40000007,
  subnets: ['255.255.255.0/24'],
  internal: true,
  icc: false,
  masquerade: false,
} as const
const address = Uint8Array.of(10, 1, 0, 2)
const address6 = Uint8Array.from([0xfd, 0, 0, 1, ...Array(11).fill(0), 2])
const http = { family: 2, protocol: 6, hostPort: 8080, containerPort: 80 } as const
const dns = { family: 2, protocol: 17, hostAddress: Uint8Array.of(127, 0, 0, 1), hostPort: 53, containerPort: 53 } as const
const http6 = { ...http, family: 10 } as const
const http6At = { ...http6, hostAddress: address6, hostPort: 8081 }
const elements = [
  ...[http, dns].map((port) => portElement(port, address, 'web/a')),
  publishedElement(address, 'web/a'),
  ...[http6, http6At].map((port) => portElement(port, address6, 'web/a')),
  publishedElement(address6, 'web/a'),
]

test.before.each(async () => {
  await transact(compiledTable().messages)
  await transact(networkAdded(web))
  await transact(networkAdded(inner))
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
  return printed.split('\n').filter((line) => /^ {2}\[ |^ {2}userdata|^inet netlink-ct/.test(line))
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
  const error = await refusal(networkAdded({ ...web, name: 'other', group: 101 }, { exclusive: true }))
  assert.is(error.code, 'EEXIST')
  assert.is(await output('nft', ['list', 'ruleset']), expected)
})

for (const subnet of ['10.1.0.0/25', '10.1.0.128/25', '10.0.0.0/8', '10.1.0.0/16']) {
  test(`a network inside or around another one's subnet is refused: ${subnet}`, async () => {
    const error = await refusal(networkAdded({ ...web, name: 'other', group: 101, subnets: [subnet] }, { exclusive: true }))
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
  const maps = Object.values(portSets).flatMap(({ any, one }) => [any, one])
  const dumps = await Promise.all(maps.map((map) => read(host, listElements(map), (body) => body)))
  assert.equal(
    dumps.flatMap(({ objects }) => readPorts(objects)),
    [
      { ...http, hostAddress: undefined, containerAddress: address, owner: 'web/a' },
      { ...dns, containerAddress: address, owner: 'web/a' },
      { ...http6, hostAddress: undefined, containerAddress: address6, owner: 'web/a' },
      { ...http6At, containerAddress: address6, owner: 'web/a' },
    ],
  )
})

test('what is removed is gone, and may be removed again', async () => {
  for (let round = 0; round < 2; round++) {
    await transact(elementsRemoved(elements))
    await transact(networkRemoved(web))
    await transact(networkRemoved(inner))
  }
  assert.not.match(await output('nft', ['list', 'ruleset']), /elements =/)
})

test('an element whose address is still being leased lacks only that', () => {
  const addresses = [address, address6]
  const pending = pendingElements([http, http6, dns, http6At], 'web/a', [2, 10])
  const complete = pending.map(({ address: at, addressIn, ...element }) => ({
    ...element,
    [addressIn]: Uint8Array.from([...(addresses[at] ?? []), ...element[addressIn]]),
  }))
  assert.equal(complete, elements)
  assert.equal(pendingElements([], 'web/a', [2, 10]), [])
  assert.equal(pendingElements([http6], 'web/a', [2]), [])
})

test.run()
