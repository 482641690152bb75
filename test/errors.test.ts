// The kernel's refusals as JavaScript errors.

import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import { kernel, NetlinkError, toError } from '../lib/errors.ts'
import { createNetns, Netns, openNetns, TornDumpError } from '../lib/index.ts'
import { type AttributePolicy, type Body, native } from '../lib/native.ts'
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
    const end = attribute === undefined ? extack : `${extack} (${attribute} takes a u32)`
    assert.ok(error.message.endsWith(end), error.message)
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

/** What the kernel says to one message, sent as it is. */
async function refusalOf(ns: Netns, type: string, flags: number, body: Body): Promise<NetlinkError> {
  const [outcome] = await kernel(native.submit(Netns.handleOf(ns), [{ type, flags, body }]))
  assert.ok(outcome?.error, `${type} is refused`)
  return new NetlinkError(outcome.error)
}

const other = (type: number, ...data: number[]): Body => ({ other: [{ type, data: Uint8Array.from(data) }] })
const NLM_F_CREATE = 0x400

test('what the kernel takes for an attribute is told when it refuses one', async () => {
  await using ns = await createNetns()
  const bridge = { name: 'b0', info: { kind: 'bridge' } }
  const neighbor = { family: 2, index: 1, address: '10.0.0.1' }
  const long = { ...bridge, name: 'b0123456789012345678' }
  const table: [type: string, body: Body, code: string, attribute: string, policy: AttributePolicy, says: string][] = [
    // IFLA_GSO_MAX_SIZE of 1
    [
      'RTM_NEWLINK',
      { ...bridge, ...other(41, 1, 0, 0, 0) },
      'ERANGE',
      'IFLA_GSO_MAX_SIZE',
      { type: 'u32', min: 193, max: 0xffffffff },
      'integer out of range (IFLA_GSO_MAX_SIZE takes a u32, 193 to 4294967295)',
    ],
    [
      'RTM_NEWLINK',
      long,
      'ERANGE',
      'IFLA_IFNAME',
      { type: 'string', maxLength: 15 },
      '(IFLA_IFNAME takes a string of at most 15 bytes)',
    ],
    // IFLA_ADDRESS of 40 bytes
    [
      'RTM_NEWLINK',
      { ...bridge, ...other(1, ...Array<number>(40).fill(2)) },
      'ERANGE',
      'IFLA_ADDRESS',
      { type: 'bytes', maxLength: 32 },
      '(IFLA_ADDRESS takes at most 32 bytes)',
    ],
    // IFLA_LINK_NETNSID of one byte
    [
      'RTM_NEWLINK',
      { ...bridge, ...other(37, 1) },
      'ERANGE',
      'IFLA_LINK_NETNSID',
      { type: 's32', min: -0x80000000, max: 0x7fffffff },
      '(IFLA_LINK_NETNSID takes a s32)',
    ],
  ]
  for (const [type, body, code, attribute, policy, says] of table) {
    const error = await refusalOf(ns, type, NLM_F_CREATE, body)
    assert.equal([error.code, error.attribute, error.policy], [code, attribute, policy])
    assert.ok(error.message.endsWith(says), error.message)
  }
  // NDA_FLAGS_EXT of one byte: its policy is a mask, which grows with the kernel.
  const masked = await refusalOf(ns, 'RTM_NEWNEIGH', NLM_F_CREATE, { ...neighbor, ...other(15, 0) })
  assert.equal([masked.attribute, masked.policy?.type], ['NDA_FLAGS_EXT', 'u32'])
  assert.is(Number(masked.policy?.mask) & 1, 1)
  assert.match(masked.message, /NDA_FLAGS_EXT takes a u32 of the bits 0x[0-9a-f]+\)$/)
  // A refusal without a policy has none.
  const vxlan = await refusalOf(ns, 'RTM_NEWLINK', NLM_F_CREATE, {
    name: 'v0',
    info: { kind: 'vxlan', data: other(1, 0, 0, 0, 1) },
  })
  assert.match(vxlan.message, /: VXLAN ID must be lower than 16777216 \(IFLA_LINKINFO\.IFLA_INFO_DATA\.IFLA_VXLAN_ID\)$/)
  assert.not.ok('policy' in vxlan)
})

test('a bitfield that the kernel does not know whole is told with the bits that it knows', async () => {
  await using ns = await createNetns()
  await ns.createLink({ kind: 'ifb', name: 'i0', up: true })
  await ns.addQdisc('i0', { kind: 'htb', handle: '1:' })
  const attribute = (type: number, data: Buffer): Buffer => {
    const header = Buffer.alloc(4)
    header.writeUInt16LE(4 + data.length)
    header.writeUInt16LE(type, 2)
    return Buffer.concat([header, data, Buffer.alloc(-data.length & 3)])
  }
  // TCA_OPTIONS { TCA_U32_SEL, TCA_U32_ACT { 1: { TCA_ACT_KIND mirred, TCA_ACT_FLAGS with all bits } } }
  const action = Buffer.concat([attribute(1, Buffer.from('mirred\0')), attribute(7, Buffer.alloc(8, 0xff))])
  const options = Buffer.concat([attribute(5, Buffer.alloc(16)), attribute(7, attribute(1, action))])
  const error = await refusalOf(ns, 'RTM_NEWTFILTER', NLM_F_CREATE, {
    index: (await ns.getLink('i0')).index,
    parent: 0x10000,
    info: 0x30008,
    other: [
      { type: 1, data: Buffer.from('u32\0') },
      { type: 2, data: options },
    ],
  })
  assert.match(error.attribute ?? '', /^TCA_OPTIONS\.TCA_U32_ACT\[0\]\./)
  assert.is(error.policy?.type, 'bitfield32')
  assert.ok(Number(error.policy?.mask) > 0)
})

test('an attribute that is missing is named', async () => {
  await using ns = await createNetns()
  const error = await refusalOf(ns, 'RTM_GETNEIGH', 0, { family: 2, index: 1 })
  assert.equal([error.code, error.missing], ['EINVAL', 'NDA_DST'])
  assert.is(error.message, 'EINVAL: invalid argument, RTM_GETNEIGH: missing attribute NDA_DST')
  assert.not.ok('attribute' in error)
  const nested = new NetlinkError({ errno: 22, syscall: 'RTM_NEWLINK', extack: 'no', missing: 'IFLA_LINKINFO.IFLA_INFO_KIND' })
  assert.is(nested.message, 'EINVAL: invalid argument, RTM_NEWLINK: no: missing attribute IFLA_LINKINFO.IFLA_INFO_KIND')
})

test('what the library says for the kernel is in the message, and not taken for the text of the kernel', async () => {
  const silent = new NetlinkError({ errno: 61, syscall: 'recvmsg', note: 'the kernel gave no answer' })
  assert.match(silent.message, /^ENODATA: .*, recvmsg: the kernel gave no answer$/)
  assert.not.ok('extack' in silent)
  const error = await failureOf(openNetns({ path: '/dev/null' }))
  assert.not.ok('extack' in error)
})

test('every kind of limit has its words', () => {
  const words: [AttributePolicy, string][] = [
    [{ type: 'u8', min: 1, max: 7 }, 'a u8, 1 to 7'],
    [{ type: 'u16', min: 0, max: 65535 }, 'a u16'],
    [{ type: 'u64', min: 0n, max: 2n ** 64n - 1n }, 'a u64'],
    [{ type: 'u64', min: 1n, max: 2n ** 64n - 1n }, 'a u64, 1 to 18446744073709551615'],
    [{ type: 's64', min: -(2n ** 63n), max: 5n }, 'a s64, -9223372036854775808 to 5'],
    [{ type: 'u32', min: 1 }, 'a u32, at least 1'],
    [{ type: 'u32', max: 9 }, 'a u32, at most 9'],
    [{ type: 'bytes', minLength: 6, maxLength: 6 }, '6 bytes'],
    [{ type: 'bytes', minLength: 4, maxLength: 16 }, '4 to 16 bytes'],
    [{ type: 'bytes' }, 'bytes'],
    [{ type: 'nest' }, 'a nest'],
    [{ type: 'bitfield32', mask: 7 }, 'a bitfield32 of the bits 0x7'],
  ]
  for (const [policy, says] of words) {
    const error = new NetlinkError({ errno: 34, syscall: 'RTM_NEWLINK', attribute: 'IFLA_MTU', policy })
    assert.ok(error.message.endsWith(`(IFLA_MTU takes ${says})`), error.message)
  }
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

test('a lack of rights names the capability, and whose', () => {
  const owner = 'in the user namespace that owns the network namespace'
  const lacking: [code: 'EPERM' | 'EACCES', syscall: string, step: string | undefined, needs: string][] = [
    ['EPERM', 'RTM_NEWLINK', undefined, `CAP_NET_ADMIN ${owner}`],
    ['EPERM', 'NFT_MSG_NEWTABLE', undefined, `CAP_NET_ADMIN ${owner}`],
    ['EPERM', 'NFNL_MSG_BATCH_BEGIN', undefined, `CAP_NET_ADMIN ${owner}`],
    ['EPERM', 'IPCTNL_MSG_CT_DELETE', undefined, `CAP_NET_ADMIN ${owner}`],
    ['EACCES', 'open', '/proc/sys/net/ipv6/conf/default/disable_ipv6', `CAP_NET_ADMIN ${owner}`],
    ['EPERM', 'write', '/proc/sys/net/ipv4/ip_forward', `CAP_NET_ADMIN ${owner}`],
    ['EACCES', 'open', '/proc/1/ns/net', 'CAP_SYS_PTRACE in the user namespace of that process'],
    ['EPERM', 'setns', 'enter the network namespace', `CAP_SYS_ADMIN ${owner}, and in the process's own`],
    ['EPERM', 'unshare', 'make a network namespace', "CAP_SYS_ADMIN in the process's user namespace"],
    ['EPERM', 'mount', '/run/netns', 'CAP_SYS_ADMIN in the user namespace that owns the mount namespace'],
    ['EPERM', 'umount2', '/run/netns/web', 'CAP_SYS_ADMIN in the user namespace that owns the mount namespace'],
    ['EACCES', 'mkdir', '/run/netns', 'the right to write to /run/netns'],
    ['EACCES', 'open', '/run/netns/web', 'the right to write to /run/netns'],
    ['EPERM', 'setsockopt', 'listen to all namespaces', `CAP_NET_BROADCAST ${owner}`],
    ['EPERM', 'setsockopt', 'join the multicast group 3', `CAP_NET_ADMIN ${owner}`],
    ['EACCES', 'bind', undefined, `CAP_NET_BIND_SERVICE ${owner}`],
    ['EACCES', 'open', '/dev/net/tun', 'the right to open /dev/net/tun (its mode, and the device cgroup)'],
    ['EPERM', 'ioctl', 'attach to tun0 (TUNSETIFF)', `the device's owner and group, or CAP_NET_ADMIN ${owner}`],
    ['EPERM', 'ioctl', 'make the tun device tun0 (TUNSETIFF)', `CAP_NET_ADMIN ${owner}`],
    ['EPERM', 'ioctl', undefined, `CAP_NET_ADMIN ${owner}`],
  ]
  for (const [code, syscall, step, needs] of lacking) {
    const { message } = new NetlinkError({ errno: constants.errno[code], syscall, ...(step === undefined ? {} : { step }) })
    assert.ok(message.endsWith(`; needs ${needs}`), `${message} needs ${needs}`)
  }
  // The route that a packet would meet, not a right.
  assert.not.match(new NetlinkError({ errno: 13, syscall: 'RTM_GETROUTE' }).message, /needs/)
  assert.not.match(new NetlinkError({ errno: 13, syscall: 'open', step: '/tmp/file' }).message, /needs/)
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
