// The kernel's refusals as JavaScript errors.

import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import { kernel, NetlinkError, toError } from '../lib/errors.ts'
import { createNetns, Netns, openNetns, TornDumpError } from '../lib/index.ts'
import { type Body, native } from '../lib/native.ts'
import { failureOf } from './support/failure.ts'
import { askProgram } from './support/program.ts'
import { suite } from './support/suite.ts'

const test = suite('NetlinkError')

test('it has the shape of a system error of Node, and what netlink adds', async () => {
  await using ns = await createNetns()
  await ns.createBridge({ name: 'br0' })
  const error = await failureOf(ns.createBridge({ name: 'br0' }))
  assert.instance(error, NetlinkError)
  assert.instance(error, Error)
  assert.is(error.name, 'NetlinkError')
  assert.is(error.code, 'EEXIST')
  assert.is(error.errno, -constants.errno.EEXIST)
  assert.is(error.syscall, 'RTM_NEWLINK')
  assert.is(error.operation, 'make the bridge br0')
  assert.is(error.index, 0)
  assert.is(error.message, 'EEXIST: file already exists, RTM_NEWLINK: make the bridge br0')
  // What the kernel did not say is absent, not undefined.
  assert.not.ok('extack' in error)
  assert.not.ok('attribute' in error)
  assert.equal(Object.keys(error).sort(), ['code', 'errno', 'index', 'name', 'operation', 'syscall'])
})

test('the text of the kernel and the attribute that it points at are in the message and beside it', async () => {
  await using ns = await createNetns()
  const handle = Netns.handleOf(ns)
  const create = async (info: Body): Promise<unknown> => {
    const body = { name: 'probe0', info }
    const [outcome] = await kernel(native.submit(handle, [{ type: 'RTM_NEWLINK', flags: 0x600, body }]))
    return outcome?.error && new NetlinkError(outcome.error)
  }
  const short = (type: number): Body => ({ other: [{ type, data: new Uint8Array(1) }] })
  const policy = 'Attribute failed policy validation'
  const table: [info: Body, code: string, extack: string, attribute: string | undefined][] = [
    [{ kind: 'nonsense' }, 'ENOTSUP', 'Unknown device type', undefined],
    [{ kind: 'bridge', data: short(1) }, 'ERANGE', policy, 'IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_FORWARD_DELAY'],
    [{ kind: 'veth', data: { peer: short(4) } }, 'ERANGE', policy, 'IFLA_LINKINFO.IFLA_INFO_DATA.VETH_INFO_PEER.IFLA_MTU'],
  ]
  for (const [info, code, extack, attribute] of table) {
    const error = (await create(info)) as NetlinkError
    assert.equal([error.code, error.extack, error.attribute], [code, extack, attribute])
    assert.ok(error.message.endsWith(attribute === undefined ? extack : `${extack} (${attribute})`), error.message)
  }
  // A dump that strict checking refuses: src_len of a route dump.
  const dumped = await failureOf(
    kernel(native.dump(handle, { type: 'RTM_GETROUTE', flags: 0, body: { family: 2, fromLength: 1 } })),
  )
  assert.equal([(dumped as NetlinkError).code, (dumped as NetlinkError).syscall], ['EINVAL', 'RTM_GETROUTE'])
  assert.match((dumped as NetlinkError).extack ?? '', /Invalid values in header for FIB dump request/)
  const full = new NetlinkError({
    errno: 34,
    syscall: 'RTM_NEWLINK',
    step: 'make the bridge br0',
    extack: 'no',
    attribute: 'IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_PRIORITY',
    index: 3,
  })
  assert.is(
    full.message,
    'ERANGE: result too large, RTM_NEWLINK: make the bridge br0: no (IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_PRIORITY)',
  )
  assert.is(full.attribute, 'IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_PRIORITY')
  assert.is(full.index, 3)
})

test('its stack shows who asked', async () => {
  async function theOneWhoAsks(): Promise<void> {
    await using ns = await createNetns()
    await ns.getLink('nobody')
  }
  const error = await failureOf(theOneWhoAsks())
  assert.match(error.stack ?? '', /theOneWhoAsks/)
  assert.match(error.stack ?? '', /errors\.test\.ts/)
  const opened = await failureOf(async function theOther() {
    await openNetns('nobody')
  })
  assert.match(opened.stack ?? '', /theOther/)
})

test('it is an instance for another copy of the package too, and nothing else is', async () => {
  const copy = (await import(`../lib/errors.ts?copy=${Date.now()}`)) as typeof import('../lib/errors.ts')
  assert.is.not(copy.NetlinkError, NetlinkError)
  const error = new copy.NetlinkError({ errno: 17, syscall: 'RTM_NEWLINK' })
  assert.ok(error instanceof NetlinkError)
  assert.ok(new NetlinkError({ errno: 17, syscall: 'setns' }) instanceof copy.NetlinkError)
  for (const other of [new Error('EEXIST'), null, undefined, 'EEXIST', { code: 'EEXIST' }, new TornDumpError('links', [], 5)]) {
    assert.not.ok((other as unknown) instanceof NetlinkError)
  }
})

test('an errno has its name, also where Node has none for it', () => {
  const known: [errno: number, code: string][] = [
    [1, 'EPERM'],
    [17, 'EEXIST'],
    [54, 'EXFULL'],
    [85, 'ERESTART'],
    [105, 'ENOBUFS'],
    [524, 'ENOTSUPP'],
    [4000, 'E4000'],
  ]
  for (const [errno, code] of known) {
    const error = new NetlinkError({ errno, syscall: 'RTM_NEWLINK' })
    assert.equal([error.code, error.errno], [code, -errno])
  }
})

test('a lack of rights names the capability: CAP_NET_ADMIN for messages, CAP_SYS_ADMIN for namespaces', () => {
  for (const syscall of ['RTM_NEWLINK', 'NFT_MSG_NEWTABLE', 'NFNL_MSG_BATCH_BEGIN', 'IPCTNL_MSG_CT_DELETE']) {
    assert.match(new NetlinkError({ errno: 1, syscall }).message, /needs CAP_NET_ADMIN in the user namespace that owns/)
  }
  for (const syscall of ['setns', 'unshare', 'mount'])
    assert.match(new NetlinkError({ errno: 1, syscall }).message, /needs CAP_SYS_ADMIN/)
})

test('what is no refusal passes as it is', () => {
  for (const other of [new Error('x'), new TypeError('x'), 'x', undefined, null, { errno: 1 }]) assert.is(toError(other), other)
  assert.instance(toError({ errno: 1, syscall: 'setns' }), NetlinkError)
})

test('it is printed with its fields', () => {
  const text = inspect(new NetlinkError({ errno: 17, syscall: 'RTM_NEWLINK', extack: 'taken' }))
  for (const part of [/^NetlinkError: EEXIST/, /code: 'EEXIST'/, /errno: -17/, /syscall: 'RTM_NEWLINK'/, /extack: 'taken'/])
    assert.match(text, part)
})

test('without its addon the module says what to do', () => {
  const library = join(import.meta.dirname, '../lib/index.ts')
  const { status, stderr } = spawnSync(process.execPath, ['--no-addons', '--import', 'tsx', library], { encoding: 'utf8' })
  assert.is(status, 1)
  assert.match(stderr, /netlink-ct could not load its native addon on linux-/)
  assert.match(stderr, /start node without --no-addons/)
})

test('an error that nobody catches is printed whole, and is exit code 1', async () => {
  const answer = await askProgram<{ message: string; stack: boolean }>(
    `process.on('uncaughtException', (error) => console.log(JSON.stringify({ message: error.message, stack: error.stack.includes('getLink') })))
    await ct.getLink('nobody')`,
  )
  assert.match(answer.message, /^ENODEV: no such device, RTM_GETLINK/)
  assert.ok(answer.stack)
})

test.run()
