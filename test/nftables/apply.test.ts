// apply() and flush(), with nft as the witness.

import * as assert from 'uvu/assert'
import { type ApplyOptions, createNetns, NetlinkError, type Nft, nftables } from '../../lib/index.ts'
import { json, output, run } from '../support/command.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('nftables.apply')

const place = { family: 'inet', table: 't' } as const
const table: Nft.Command = { add: { table: { family: 'inet', name: 't' } } }
const chain: Nft.Command = { add: { chain: { ...place, name: 'c' } } }
const dport = { payload: { protocol: 'tcp', field: 'dport' } }
const rule = (...expr: Nft.Statement[]): Nft.Command => ({ add: { rule: { ...place, chain: 'c', expr } } })
const accept = (port: number): Nft.Command => rule({ match: { op: '==', left: dport, right: port } }, { accept: null })
const ruleset = (): Promise<string> => output('nft', ['list', 'ruleset'])

test.after.each(async () => {
  await output('nft', ['flush', 'ruleset'])
})

/** What the call rejects with. */
async function rejection(call: Promise<unknown>): Promise<NetlinkError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instance(error, NetlinkError)
  return error as NetlinkError
}

test('the handles of what was made name rules later', async () => {
  const { handles } = await nftables.apply([table, chain, accept(80), accept(443), { add: { counter: { ...place, name: 'n' } } }])
  const { nftables: listed } = await json<{ nftables: Record<string, { handle: number }>[] }>('nft', ['list', 'ruleset'])
  const handleOf = (kind: string): (number | undefined)[] => listed.flatMap((object) => object[kind]?.handle ?? [])
  assert.equal(handles, [...handleOf('table'), ...handleOf('chain'), ...handleOf('rule'), ...handleOf('counter')])

  const [, , first = 0, second = 0] = handles
  await nftables.apply([
    { delete: { rule: { ...place, chain: 'c', handle: first } } },
    { replace: { rule: { ...place, chain: 'c', handle: second, expr: [{ drop: null }] } } },
    { insert: { rule: { ...place, chain: 'c', expr: [{ counter: 'n' }] } } },
  ])
  assert.match(await ruleset(), /chain c \{\n\t\tcounter name "n"\n\t\tdrop\n\t\}/)
})

test('what was there already has no handle', async () => {
  await nftables.apply([table])
  assert.equal(await nftables.apply([table, chain]).then(({ handles }) => handles.map((handle) => handle !== undefined)), [
    false,
    true,
  ])
})

test('a refusal names the command, and nothing was applied', async () => {
  await nftables.apply([table, chain])
  const before = await ruleset()
  const error = await rejection(nftables.apply([accept(80), { create: { chain: { ...place, name: 'c' } } }]))
  assert.is(error.code, 'EEXIST')
  assert.is(error.syscall, 'NFT_MSG_NEWCHAIN')
  assert.is(error.index, 1)
  assert.is(error.operation, 'commands[1].create.chain')
  assert.match(error.message, /^EEXIST: file already exists, NFT_MSG_NEWCHAIN: commands\[1\]\.create\.chain/)
  assert.is(await ruleset(), before)
})

test('a refusal names the statement', async () => {
  const { counter, match } = { counter: { counter: null }, match: { match: { op: '==', left: dport, right: 80 } } } as const
  const error = await rejection(nftables.apply([table, chain, rule(counter, match, { jump: { target: 'nowhere' } })]))
  assert.is(error.code, 'ENOENT')
  assert.is(error.index, 2)
  assert.is(error.operation, 'commands[2].add.rule.expr[2]')
  assert.is(await ruleset(), '')
})

test('a refusal names the element, whatever it became in the kernel', async () => {
  const spans = { ...place, name: 'spans', type: 'ipv4_addr', flags: ['interval'] } as const
  await nftables.apply([table, { add: { set: { ...spans, elem: [{ prefix: { addr: '10.0.0.0', len: 8 } }] } } }])
  const elem = ['11.0.0.1', { range: ['12.0.0.1', '12.0.0.9'] as const }, { prefix: { addr: '10.0.0.0', len: 8 } }]
  const error = await rejection(nftables.apply([{ create: { element: { ...place, name: 'spans', elem } } }]))
  assert.is(error.code, 'EEXIST')
  assert.is(error.operation, 'commands[0].create.element.elem[2]')
})

test('sets that were declared earlier are known', async () => {
  await nftables.apply([
    table,
    chain,
    { add: { set: { ...place, name: 'spans', type: 'mark', flags: ['interval'] } } },
    { add: { map: { ...place, name: 'ports', type: 'inet_service', map: 'ipv4_addr . inet_service' } } },
  ])
  const dnat: Nft.Statement = { dnat: { family: 'ip', addr: { map: { key: dport, data: '@ports' } } } }
  await nftables.apply([
    { add: { chain: { ...place, name: 'nat', type: 'nat', hook: 'prerouting', prio: -100 } } },
    { add: { element: { ...place, name: 'spans', elem: [{ range: [1, 5] }] } } },
    { add: { element: { ...place, name: 'ports', elem: [[80, { concat: ['10.0.0.2', 8080] }]] } } },
    rule({ match: { op: '==', left: { meta: { key: 'mark' } }, right: '@spans' } }, { accept: null }),
    { add: { rule: { ...place, chain: 'nat', expr: [dnat] } } },
  ])
  // Byte by byte in big-endian order: what nft itself sends for a set of intervals.
  assert.match(await output('nft', ['--debug=netlink', 'list', 'ruleset']), /byteorder reg 1 = hton\(reg 1, 4, 4\)/)
  assert.match(await ruleset(), /meta mark @spans accept/)
  assert.match(await ruleset(), /dnat ip to tcp dport map @ports/)
})

test('a set that nobody declared is refused', async () => {
  await nftables.apply([table])
  const call = nftables.apply([{ add: { element: { ...place, name: 'nowhere', elem: [1] } } }])
  await call.then(
    () => assert.unreachable('nothing was refused'),
    (error: unknown) => {
      assert.instance(error, TypeError)
      assert.match((error as Error).message, /^commands\[0\]\.add\.element\.name needs the types of set 'nowhere'/)
    },
  )
})

test('malformed commands are refused before anything is sent', async () => {
  for (const [command, message] of [
    [{ ad: {} }, /^commands\[1\]: 'ad' is unknown; did you mean 'add'\?/],
    [
      { add: { set: { ...place, name: 's', type: 'mark', stmt: [] } } },
      /^commands\[1\]\.add\.set\.stmt is listed, and cannot be added/,
    ],
    [rule({ other: { name: 'quota', data: new Uint8Array() } }), /expr\[0\]\.other\.data must be an object of named attributes/],
    [{ chain: { ...place, name: 'c', type: 'filter', hook: 'ingress', prio: 0, dev: [] } }, /chain\.dev must name a device/],
  ] as [Nft.Command, RegExp][]) {
    await nftables.apply([table, command]).then(
      () => assert.unreachable('nothing was refused'),
      (error: unknown) => assert.match((error as Error).message, message),
    )
  }
  assert.is(await ruleset(), '')
  for (const [options, message] of [
    [{ handels: true }, /^options: 'handels' is unknown; did you mean 'handles'\?/],
    [{ handles: 1 }, /^options\.handles must be a boolean, got 1/],
  ] as unknown as [ApplyOptions, RegExp][]) {
    assert.match((await failureOf(nftables.apply([table], options))).message, message)
  }
})

test('more elements than one attribute holds', async () => {
  const elem = Array.from({ length: 5000 }, (_, index): Nft.SetElement => {
    const val = `10.1.${index >> 8}.${index & 255}`
    return { elem: { val, comment: `element ${index}` } }
  })
  await nftables.apply([table, { add: { set: { ...place, name: 's', type: 'ipv4_addr', elem } } }])
  const [set] = await nftables.list({ kind: 'set' })
  if (set === undefined || !('set' in set)) throw new Error('no set is listed')
  assert.is(set.set.elem?.length, 5000)
  await nftables.apply([{ delete: { element: { ...place, name: 's', elem } } }])
  assert.not.match(await ruleset(), /elements/)
})

test('a transaction of 20 000 rules, and the handles of all', async () => {
  const rules = Array.from({ length: 20_000 }, (_, index) => accept(index))
  const { handles } = await nftables.apply([table, chain, ...rules])
  assert.is(new Set(handles.slice(2)).size, rules.length)
  assert.is(handles.includes(undefined), false)
  await nftables.flush()
  assert.equal(new Set((await nftables.apply([table, chain, accept(1)], { handles: false })).handles), new Set([undefined]))
})

test('a dormant table, and a chain of several devices', async () => {
  await output('ip', ['link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1'])
  const netdev = { family: 'netdev', table: 'n', name: 'c', type: 'filter', hook: 'ingress', prio: 0, dev: ['d0', 'd1'] } as const
  await nftables.apply([
    { add: { table: { family: 'inet', name: 't', flags: ['dormant'] } } },
    { add: { table: { family: 'netdev', name: 'n' } } },
    { add: { chain: netdev } },
  ])
  assert.match(await ruleset(), /flags dormant/)
  assert.match(await ruleset(), /devices = \{ "?d0"?, "?d1"? \}/)
  const [dormant, , ingress] = await nftables.list({ kind: ['table', 'chain'] })
  assert.equal(dormant && 'table' in dormant && dormant.table.flags, ['dormant'])
  assert.equal(ingress && 'chain' in ingress && ingress.chain.dev, ['d0', 'd1'])
  await nftables.flush()
  await output('ip', ['link', 'delete', 'd0'])
})

test('flush removes a table, a family, everything; an absent table is no error', async () => {
  const tables = async (): Promise<string[]> => (await output('nft', ['list', 'tables'])).trim().split('\n')
  const add = (family: Nft.Family, name: string): Nft.Command => ({ add: { table: { family, name } } })
  await nftables.apply([add('ip', 'a'), add('ip', 'b'), add('ip6', 'a'), add('inet', 'a')])
  await nftables.flush({ family: 'ip', table: 'a' })
  assert.equal(await tables(), ['table ip b', 'table ip6 a', 'table inet a'])
  await nftables.flush({ family: 'ip', table: 'a' })
  await nftables.flush({ family: 'ip' })
  assert.equal(await tables(), ['table ip6 a', 'table inet a'])
  await nftables.flush()
  assert.equal(await tables(), [''])
  const message = await nftables.flush({ table: 'a' }).catch((error: Error) => error.message)
  assert.match(String(message), /^options\.family must be one of ip, ip6/)
})

test('a namespace has a ruleset of its own', async () => {
  await using inside = await createNetns()
  await inside.nftables.apply([table])
  assert.equal((await inside.nftables.list()).length, 1)
  assert.is(await ruleset(), '')
})

test('the ruleset is read whole while another process changes it', async () => {
  await nftables.apply([table, chain])
  const count = 40
  let finished = false
  const writing = (async () => {
    for (let round = 0; round < 20; round++) {
      const expr = Array.from({ length: count }, (_, index) => `add rule inet t c tcp dport { ${index + 1}, 7000 } accept`)
      await output('nft', ['-f', '-'], { input: `flush chain inet t c\n${expr.join('\n')}` })
    }
    finished = true
  })()
  let whole = 0
  while (!finished) {
    try {
      const rules = await nftables.list({ kind: 'rule' })
      assert.ok(rules.length === 0 || rules.length === count, `${rules.length} rules`)
      for (const one of rules) assert.is('rule' in one && one.rule.expr.length, 2)
      whole++
    } catch (error) {
      assert.is((error as { code?: string }).code, 'ERR_NETLINK_TORN_DUMP')
    }
  }
  await writing
  assert.ok(whole > 0)
})

test('without CAP_NET_ADMIN the error says what is needed', async () => {
  const script =
    "import { nftables } from './lib/index.ts'; await nftables.apply([{ add: { table: { family: 'ip', name: 't' } } }])"
  const { code, stderr } = await run('setpriv', [
    '--bounding-set=-net_admin',
    '--inh-caps=-net_admin',
    process.execPath,
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script,
  ])
  assert.is.not(code, 0)
  assert.match(stderr, /EPERM: operation not permitted, .*; needs CAP_NET_ADMIN/)
})

test.run()
