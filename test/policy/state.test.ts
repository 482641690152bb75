// Policies are the host's: seen from another process, kept when one dies, restored after a flush, gone with their network.

import * as assert from 'uvu/assert'
import {
  allow,
  applyPolicy,
  check,
  createNetwork,
  deletePolicy,
  deny,
  gc,
  isolate,
  listPolicies,
  type NetlinkError,
  type Network,
  NetworkError,
  openNetwork,
  repair,
  setLink,
} from '../../lib/index.ts'
import { attachElsewhere } from '../network/support/processes.ts'
import { sweep } from '../network/support/sweep.ts'
import { elementsShown, linkShown } from '../network/support/witness.ts'
import { json, output, run } from '../support/command.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('the state of policies')
let lab: Network
test.before.each(async () => {
  lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'] })
})
test.after.each(async () => {
  await lab.delete({ force: true })
  await sweep()
})

interface Listed {
  readonly set?: { readonly name: string; readonly elem?: readonly unknown[] }
  readonly chain?: { readonly name: string }
  readonly rule?: { readonly chain: string; readonly comment?: string }
}

const ruleset = async (): Promise<readonly Listed[]> =>
  (await json<{ nftables: Listed[] }>('nft', ['list', 'table', 'inet', 'netlink-ct'])).nftables

/** By what follows the digest: `0/from4`. */
async function members(policy: string, set: string): Promise<string[]> {
  const name = (await ruleset())
    .map((one) => one.set?.name ?? '')
    .find((one) => one.startsWith(`policy/${policy}/`) && one.endsWith(`/${set}`))
  if (name === undefined) return ['no such set']
  return (await elementsShown(name)).map((text) => text.replace(/ comment (\S+) \d+$/, ' $1'))
}

const reaches = async (netns: string, address: string): Promise<boolean> =>
  (await run('ping', ['-n', '-c', '1', '-W', '1', address], { netns: { path: netns } })).code === 0

test('without any there is nothing of them, and an attach adds no element', async () => {
  await lab.attach({ name: 'a' })
  const all = await ruleset()
  assert.not.ok(all.some(({ set, chain }) => /polic/.test(`${set?.name} ${chain?.name}`)))
  assert.is((await linkShown('br-lab'))?.linkinfo?.info_data?.['nf_call_iptables'], 0)
  assert.equal(await listPolicies(), [])
})

test('a container is in the sets of its policies from its attach to its detach, by name, label and network', async () => {
  await deny({ name: 'by-name', from: 'lab/web', to: 'world' })
  await deny({ name: 'by-label', from: { network: 'lab', labels: { app: 'shop' } }, to: 'world' })
  await deny({
    name: 'by-network',
    from: 'lab',
    to: { cidr: '192.0.2.0/24', except: ['192.0.2.0/25'] },
    ports: ['80', '443', '8000-8100/udp'],
  })
  const web = await lab.attach({ name: 'web', labels: { app: 'shop' } })
  await lab.attach({ name: 'other' })
  assert.equal(await members('by-name', '0/from4'), ['10.9.0.2 lab/web'])
  assert.equal(await members('by-name', '0/from6'), ['fd00:9::2 lab/web'])
  assert.equal(await members('by-label', '0/from4'), ['10.9.0.2 lab/web'])
  assert.equal(await members('by-network', '0/from4_subnets'), ['10.9.0.0/24'])
  assert.equal(await members('by-network', '0/to4_cidrs'), ['192.0.2.128/25'])
  assert.equal(await members('by-network', '0/tcp'), ['443', '80'])
  assert.is((await linkShown('br-lab'))?.linkinfo?.info_data?.['nf_call_iptables'], 1)
  await web.detach()
  assert.equal(await members('by-name', '0/from4'), [])
  assert.equal(await members('by-label', '0/from6'), [])
  assert.equal(await check(), [])
})

test('another process sees them, and attaches by them', async () => {
  await deny({ name: 'ours', from: 'lab/far', to: 'world' })
  await using far = await attachElsewhere('lab', { name: 'far' })
  assert.is(far.endpoints.length, 1)
  assert.equal(await members('ours', '0/from4'), ['10.9.0.2 lab/far'])
  // This object knows of policies what the kernel tells it.
  const again = await openNetwork('lab')
  await again.attach({ name: 'near' })
  await isolate({ name: 'theirs', containers: 'lab/near' })
  await again.attach({ name: 'far2' })
  assert.equal(
    (await listPolicies()).map(({ name }) => name),
    ['ours', 'theirs'],
  )
  assert.equal(await members('theirs', '0/containers4'), ['10.9.0.3 lab/near'])
})

test('who gets the address of a dead container is not taken for it', async () => {
  await deny({ name: 'ours', from: 'lab/dead', to: 'world' })
  const dead = await attachElsewhere('lab', { name: 'dead', addresses: ['10.9.0.7/24'] })
  await dead.kill()
  await lab.attach({ name: 'heir', addresses: ['10.9.0.7/24'] }).catch(async () => {
    // The kernel takes the dead one's device in its own time.
    await lab.detach('dead')
    await lab.attach({ name: 'heir', addresses: ['10.9.0.7/24'] })
  })
  assert.equal(await members('ours', '0/from4'), [])
})

test('gc removes what a container left that nobody followed', async () => {
  await deny({ name: 'ours', from: 'lab/dead', to: 'world' })
  const dead = await attachElsewhere('lab', { name: 'dead' })
  await dead.kill()
  await output('ip', ['link', 'delete', dead.endpoints[0]?.hostIfname ?? '']).catch(() => '')
  assert.equal(await members('ours', '0/from4'), ['10.9.0.2 lab/dead'])
  const { removed } = await gc()
  assert.ok(removed.elements.some((text) => text.endsWith(': lab/dead')))
  assert.equal(await members('ours', '0/from4'), [])
  assert.equal(await check(), [])
})

test('they come back after the ruleset was flushed: by repair, and by the next attach', async () => {
  await deny({ name: 'apart', from: 'lab/a', to: 'lab/b' })
  const [a, b] = [await lab.attach({ name: 'a' }), await lab.attach({ name: 'b' })]
  const address = b.addresses[0]?.split('/')[0] ?? ''
  for (const restore of [() => repair(), () => lab.attach({ name: 'c' })]) {
    await output('nft', ['flush', 'ruleset'])
    assert.ok(await reaches(a.netns.path, address))
    await restore()
    assert.not.ok(await reaches(a.netns.path, address))
    assert.equal(await members('apart', '0/to4'), ['10.9.0.3 lab/b'])
    assert.equal(await check(), [])
  }
})

test('what somebody changes of them is found and put back', async () => {
  await deny({ name: 'apart', from: 'lab/a', to: ['lab/b', '192.0.2.0/24'] })
  await lab.attach({ name: 'a' })
  const [set] = (await ruleset()).map((one) => one.set?.name ?? '').filter((name) => name.endsWith('/0/from4'))
  const cases: readonly (readonly [kind: string, ...commands: (readonly string[])[]])[] = [
    ['element-missing', ['nft', 'delete', 'element', 'inet', 'netlink-ct', set ?? '', '{ 10.9.0.2 }']],
    ['element-missing', ['nft', 'flush', 'set', 'inet', 'netlink-ct', 'policed']],
    ['chain-different', ['nft', 'flush', 'chain', 'inet', 'netlink-ct', 'denied']],
    ['chain-different', ['nft', 'insert', 'rule', 'inet', 'netlink-ct', 'policies', 'return']],
    ['bridge-different', ['ip', 'link', 'set', 'br-lab', 'type', 'bridge', 'nf_call_iptables', '0']],
  ]
  for (const [kind, ...commands] of cases) {
    for (const [command = '', ...args] of commands) await output(command, args)
    assert.ok(
      (await check()).some((damage) => damage.kind === kind),
      `${kind} is found`,
    )
    assert.equal((await repair()).remaining, [])
    assert.equal(await check(), [])
  }
})

test('a change that a process died in is found, and finished by repair and by the next change', async () => {
  const finishers = [() => repair(), () => deny({ name: 'another', from: 'lab/c', to: 'world' })]
  await lab.attach({ name: 'a' })
  for (const [at, finish] of finishers.entries()) {
    const name = `half-${at}`
    const policy = await deny({ name, from: 'lab/a', to: 'world' })
    const names = (await linkShown('br-lab'))?.altnames?.filter((altname) => altname.includes(`policy=${name}`)) ?? []
    assert.ok(names.length > 1)
    // Removed, and written down, by one who gets no further.
    await setLink('br-lab', { deleteAltnames: names })
    assert.ok((await check()).length > 0)
    await finish()
    assert.equal(await members(name, '0/from4'), ['no such set'])
    await setLink('br-lab', { addAltnames: names })
    assert.ok((await check()).length > 0)
    await (at === 0 ? repair() : deletePolicy('another'))
    assert.equal(await members(name, '0/from4'), ['10.9.0.2 lab/a'])
    assert.equal(
      (await listPolicies()).find((one) => one.name === name),
      policy,
    )
    assert.equal(await check(), [])
  }
})

test('one of which a piece was taken away is told, and may be applied again', async () => {
  const rules = Array.from({ length: 8 }, (_, at) => ({ action: 'deny' as const, from: `lab/container-${at}`, to: 'world' }))
  await applyPolicy({ name: 'long', rules })
  const pieces = (await linkShown('br-lab'))?.altnames?.filter((name) => name.includes('policy=long/')) ?? []
  assert.ok(pieces.length > 2)
  // ip(8) takes no name with a slash.
  await setLink('br-lab', { deleteAltnames: [pieces[1] ?? ''] })
  assert.ok((await check()).some(({ kind, repairable }) => kind === 'policy-lost' && !repairable))
  await applyPolicy({ name: 'long', rules })
  assert.equal(await check(), [])
  assert.equal((await listPolicies())[0]?.rules.length, 8)
})

test('a device that can remember no more keeps what it has, in force, and forgets when it is told to', async () => {
  await deny({ name: 'p', from: 'lab/a', to: 'lab/b' })
  const [a, b] = [await lab.attach({ name: 'a' }), await lab.attach({ name: 'b' })]
  const before = await ruleset()
  let room = true
  for (let at = 0; room; at++) {
    const filler = `filler-${at}-`.padEnd(127, 'x')
    room =
      (await failureOf(setLink('br-lab', { addAltnames: [filler] }).then(() => Promise.reject(new Error('fits'))))).message ===
      'fits'
  }
  const rules = [{ action: 'deny' as const, from: 'lab/b', to: 'lab/a' }]
  const error = await failureOf(applyPolicy({ name: 'p', rules }))
  assert.is((error as NetlinkError).syscall, 'RTM_NEWLINKPROP')
  assert.equal(await ruleset(), before)
  assert.not.ok(await reaches(a.netns.path, b.addresses[0]?.split('/')[0] ?? ''))
  assert.equal(await check(), [])
  await deletePolicy('p')
  assert.equal(await listPolicies(), [])
  assert.ok(await reaches(a.netns.path, b.addresses[0]?.split('/')[0] ?? ''))
  assert.equal(await check(), [])
})

test('a name is one policy: the same again is none more, another is refused, applyPolicy replaces it', async () => {
  const first = await deny({ name: 'p', from: 'lab/a', to: 'world' })
  assert.equal(await deny({ name: 'p', from: 'lab/a', to: 'world' }), first)
  const error = await failureOf(deny({ name: 'p', from: 'lab/b', to: 'world' }))
  assert.ok(error instanceof NetworkError)
  assert.is(error.code, 'POLICY_EXISTS')
  const unnamed = await allow({ from: 'lab/a', to: 'lab/b' })
  assert.equal(await allow({ from: 'lab/a', to: 'lab/b' }), unnamed)
  await applyPolicy({ name: 'p', rules: [{ action: 'isolate', containers: 'lab' }] })
  assert.equal(
    (await listPolicies()).map(({ name, rules }) => [name, rules[0]?.action]),
    [
      [unnamed.name, 'allow'],
      ['p', 'isolate'],
    ],
  )
  assert.equal(await check(), [])
})

test('two processes that make some at once make all of them', async () => {
  const names = Array.from({ length: 12 }, (_, at) => `p${at}`)
  await Promise.all(names.map((name, at) => deny({ name, from: `lab/c${at}`, to: 'world' })))
  assert.equal((await listPolicies()).length, 12)
  assert.equal(await check(), [])
  await Promise.all(names.map((name) => deletePolicy(name)))
  assert.equal(await listPolicies(), [])
  assert.equal(await check(), [])
  assert.not.ok((await ruleset()).some(({ set, chain }) => /polic/.test(`${set?.name} ${chain?.name}`)))
})

test('one that is refused leaves nothing', async () => {
  const error = await failureOf(deny({ name: 'p', from: 'world', to: 'nowhere/a' }))
  assert.ok(error instanceof NetworkError)
  assert.is(error.code, 'NETWORK_NOT_FOUND')
  assert.equal(await listPolicies(), [])
  await deletePolicy('p')
})

test('they go with the network that remembers them, and what they said of another network stays', async () => {
  const other = await createNetwork({ name: 'other', subnets: ['10.8.0.0/24'] })
  try {
    await allow({ name: 'gone', from: 'lab', to: 'other' })
    await deny({ name: 'stays', from: 'other', to: 'lab' })
    await other.delete()
    assert.equal(
      (await listPolicies()).map(({ name }) => name),
      ['stays'],
    )
    assert.equal(await check(), [])
    assert.equal(await members('stays', '0/from4_subnets'), [])
  } finally {
    await other.delete()
  }
  const again = await createNetwork({ name: 'other', subnets: ['10.7.0.0/24'] })
  try {
    assert.equal(await members('stays', '0/from4_subnets'), ['10.7.0.0/24'])
    assert.equal(await check(), [])
  } finally {
    await again.delete()
  }
})

test('ports of a network without icc are isolated until an allow is about two of them', async () => {
  const quiet = await createNetwork({ name: 'quiet', subnets: ['10.6.0.0/24'], icc: false })
  try {
    const a = await quiet.attach({ name: 'a' })
    const isolated = async (name: string): Promise<unknown> => (await linkShown(name))?.linkinfo?.info_slave_data?.['isolated']
    await deny({ name: 'd', from: 'quiet/a', to: 'world' })
    assert.is(await isolated(a.hostIfname), true)
    await allow({ name: 'open', from: 'quiet/a', to: 'quiet/b' })
    const b = await quiet.attach({ name: 'b' })
    const c = await quiet.attach({ name: 'c' })
    assert.equal([await isolated(a.hostIfname), await isolated(b.hostIfname)], [false, false])
    const [there, elsewhere] = [b, c].map((one) => one.addresses[0]?.split('/')[0] ?? '')
    assert.ok(await reaches(a.netns.path, there ?? ''))
    assert.not.ok(await reaches(a.netns.path, elsewhere ?? ''))
    assert.equal(await check(), [])
    await deletePolicy('open')
    assert.equal([await isolated(a.hostIfname), await isolated(b.hostIfname)], [true, true])
    assert.not.ok(await reaches(a.netns.path, there ?? ''))
    assert.equal(await check(), [])
  } finally {
    await quiet.delete({ force: true })
  }
})

test('a bridge that was there before remembers them as long as the network is on it, and is left as it was', async () => {
  await output('ip', ['-batch', '-'], {
    input: 'link add br9 address 02:00:00:00:09:01 type bridge\naddress add 10.5.0.1/24 dev br9\nlink set br9 up',
  })
  const before = await linkShown('br9')
  const joined = await createNetwork({ name: 'joined', bridge: { existing: 'br9' }, reserved: ['10.5.0.128/25'] })
  try {
    await deny({ name: 'apart', from: 'joined/a', to: 'joined/b' })
    const [a, b] = [await joined.attach({ name: 'a' }), await joined.attach({ name: 'b' })]
    const [first, second] = [a, b].map((one) => one.addresses[0]?.split('/')[0] ?? '')
    assert.not.ok(await reaches(a.netns.path, second ?? ''))
    assert.ok(await reaches(b.netns.path, first ?? ''))
    assert.equal(
      (await listPolicies()).map(({ name, network }) => [name, network]),
      [['apart', 'joined']],
    )
    assert.equal(await check(), [])
  } finally {
    await joined.delete({ force: true })
  }
  const after = await linkShown('br9')
  assert.equal(after?.altnames ?? [], before?.altnames ?? [])
  assert.is(after?.linkinfo?.info_data?.['nf_call_iptables'], 0)
  await output('ip', ['link', 'delete', 'br9'])
})

test('what nft lists, nft reads again', async () => {
  await applyPolicy({
    name: 'p',
    rules: [
      { action: 'isolate', containers: { network: 'lab', labels: { app: 'shop' } } },
      {
        action: 'allow',
        from: ['lab', { cidr: 'fd00::/8', except: ['fd00:1::/32'] }],
        to: 'lab/a',
        ports: ['80', 'icmp', '53-54/udp'],
      },
      { action: 'deny', from: 'any', to: ['lab/a', 'host', 'world'], ports: 'sctp' },
    ],
  })
  await lab.attach({ name: 'a', labels: { app: 'shop' } })
  const listing = await output('nft', ['list', 'ruleset'])
  await output('nft', ['flush', 'ruleset'])
  await output('nft', ['-f', '-'], { input: listing })
  assert.is(await output('nft', ['list', 'ruleset']), listing)
})

test.run()
