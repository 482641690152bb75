// What list() says against what `nft -j list ruleset` says, and back into the kernel.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { read } from '../../lib/exchange.ts'
import { nftables, type RulesetFilter } from '../../lib/index.ts'
import { type Body, native } from '../../lib/native.ts'
import { json, output } from '../support/command.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { lacksQueue, ruleCorpus, script, setCorpus } from './support/corpus.ts'

const test = suite('nftables.list')
const host = native.home()

test.after.each(async () => {
  await output('nft', ['flush', 'ruleset'])
})

/** All differences from nft 1.0.6 that are meant. */
function settled(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      // What is left of an element's time goes on running between two listings.
      if (key === 'expires') return 'some'
      // nft shows the index of an interface as its name, and as a string where no interface has it.
      if (key === 'right' && inner === '0') return 0
      // nft leaves out comments of tables and chains; only its text has them.
      if ((key === 'table' || key === 'chain') && typeof inner === 'object') return { ...inner, comment: undefined }
      return inner
    }),
  )
}

async function theirs(): Promise<unknown[]> {
  const { nftables: objects } = await json<{ nftables: object[] }>('nft', ['list', 'ruleset'])
  // Newer ones list chains first, too: verdicts in maps speak of them.
  const order = ['table', 'chain', 'counter', 'set', 'map', 'rule']
  const rank = (object: object): number => order.indexOf((Object.keys(object)[0] ?? '').replace('map', 'set'))
  return objects.filter((object) => !('metainfo' in object)).sort((a, b) => rank(a) - rank(b))
}

/** The rules as the kernel has them, without its numbers. */
async function rulesInKernel(): Promise<unknown> {
  const { objects } = await read(host, { type: 'NFT_MSG_GETRULE', flags: 0, body: { family: 0 } }, (rule) => rule)
  const plain = (rule: Body): unknown =>
    JSON.parse(
      JSON.stringify(rule, (key, value: unknown) => {
        // nft turns single bytes around in concatenations of intervals: that changes nothing.
        if (key === 'expressions')
          return (value as Body[]).filter(({ name, data }) => name !== 'byteorder' || (data as Body)['len'] !== 1)
        if (key === 'handle' || key === 'position' || key === 'resourceId') return undefined
        if (typeof value === 'string' && /^__(set|map)\d+$/.test(value)) return value.replace(/\d+/, '')
        return typeof value === 'bigint' ? `${value}` : value
      }),
    )
  return objects.map(plain)
}

async function same(input: string): Promise<void> {
  await output('nft', ['-f', '-'], { input })
  const listed = await nftables.list()
  assert.equal(settled(listed), settled(await theirs()))
  const text = async (): Promise<string> => (await output('nft', ['list', 'ruleset'])).replace(/(expires \w+?)h\w+/g, '$1')
  const before = { text: await text(), rules: await rulesInKernel() }
  await nftables.flush()
  assert.equal(await theirs(), [])
  await nftables.apply(listed)
  assert.is(await text(), before.text)
  assert.equal(await rulesInKernel(), before.rules)
}

for (const { rule, hook } of ruleCorpus) {
  test.skipIf(rule.startsWith('queue') && lacksQueue, `${rule}: as nft lists it, and back`, () => same(script(rule, hook)))
}

for (const set of setCorpus) {
  test(`${set} as nft lists it, and back`, () => same(`table inet t {\n chain other { }\n ${set}\n}`))
}

test('the table of this library is listed as nft lists it, and made again from its listing', async () => {
  await same(readFileSync(join(import.meta.dirname, 'ruleset.nft'), 'utf8'))
})

/** Rules beyond the corpus: what nft hides or merges, other families, and expressions that there are no words for. */
const more: readonly [family: string, rule: string][] = [
  ['ip', 'ip protocol tcp tcp dport 80'],
  ['ip', 'tcp dport . ip saddr { 80 . 1.2.3.4 }'],
  ['ip', 'meta l4proto tcp counter tcp dport 80'],
  ['ip', 'tcp flags & syn == 0'],
  ['ip', 'ip saddr & 0.0.0.255 == 0.0.0.5'],
  ['ip', 'meta mark and 0xff xor 0x3 == 5'],
  ['ip', 'icmp type destination-unreachable icmp code 3'],
  ['ip', 'log group 2'],
  ['ip', 'log flags all'],
  ['ip', 'tcp option maxseg size set 1400'],
  ['ip', 'ip dscp cs1'],
  ['ip', 'meta mark set jhash ip saddr mod 2'],
  ['ip', 'quota 25 mbytes'],
  ['ip', 'ct count 20 accept'],
  ['ip', 'tcp dport { 32768-65535 }'],
  ['inet', 'meta protocol ip ip saddr 1.2.3.4'],
  ['inet', 'meta nfproto ipv4 counter ip saddr 1.2.3.4'],
  ['inet', 'meta l4proto tcp ip saddr 1.2.3.4 tcp dport 80'],
  ['inet', 'meta l4proto ipv6-icmp icmpv6 type nd-neighbor-solicit accept'],
  ['inet', 'ether saddr 02:00:00:00:00:01 ip saddr 1.2.3.4 tcp dport 80'],
  ['inet', 'ip saddr . ip daddr { 1.2.3.0/24 . 2.0.0.0/8 }'],
  ['inet', 'fib saddr . mark . iif oif missing drop'],
  ['inet', 'update @dyn { ip saddr timeout 10s }'],
  ['inet', 'counter name hits'],
  ['bridge', 'ether type ip6 ip6 saddr ::1'],
  ['bridge', 'ip saddr 1.2.3.4 tcp dport 80'],
  ['arp', 'arp operation request'],
]
for (const [family, rule] of more) {
  test(`${rule} (${family}) is the same rule to nft after a listing was applied`, async () => {
    const extra =
      family === 'inet'
        ? 'set dyn { type ipv4_addr; flags dynamic,timeout; size 100; }; counter hits { packets 3 bytes 5; comment "x"; };'
        : ''
    await output('nft', ['-f', '-'], { input: `table ${family} t { ${extra} chain c { ${rule}; }; }` })
    const before = await output('nft', ['list', 'ruleset'])
    const listed = await nftables.list()
    await nftables.flush()
    await nftables.apply(listed)
    assert.is(await output('nft', ['list', 'ruleset']), before)
  })
}

test('what there are no words for is kept', async () => {
  await output('nft', ['-f', '-'], { input: 'table ip t { quota q { 25 mbytes; }; chain c { ct count 20 accept; }; }' })
  const [quota, rule] = await nftables.list({ kind: ['object', 'rule'] })
  if (quota === undefined || !('object' in quota) || rule === undefined || !('rule' in rule)) throw new Error('not listed')
  assert.is(quota.object.name, 'q')
  assert.is(quota.object.type, 'quota')
  assert.equal(rule.rule.expr, [{ other: { name: 'connlimit', data: { count: 20 } } }, { accept: null }])
  assert.match((await failureOf(nftables.apply([quota]))).message, /^commands\[0\]\.object is listed, and cannot be added/)
})

test('a filter takes families, tables and kinds', async () => {
  await output('nft', ['-f', '-'], {
    input:
      'table ip a { set s { type mark; elements = { 1 }; }; chain c { accept; }; }; table ip6 a { chain c { }; }; table ip b { }',
  })
  const names = async (filter: RulesetFilter): Promise<string[]> =>
    (await nftables.list(filter)).map((object) => {
      const [[kind, value] = ['', {}]] = Object.entries(object) as [string, { family?: string; name?: string }][]
      return `${kind} ${value.family} ${value.name}`
    })
  assert.equal(await names({ kind: 'table' }), ['table ip a', 'table ip6 a', 'table ip b'])
  assert.equal(await names({ table: 'a' }), [
    'table ip a',
    'chain ip c',
    'set ip s',
    'rule ip undefined',
    'table ip6 a',
    'chain ip6 c',
  ])
  assert.equal(await names({ family: 'ip6' }), ['table ip6 a', 'chain ip6 c'])
  assert.equal(await names({ family: 'ip', table: 'a', kind: ['set', 'rule'] }), ['set ip s', 'rule ip undefined'])
  assert.equal(await names({ table: 'nowhere' }), [])
})

test('malformed filters are refused', async () => {
  const refused = async (filter: unknown): Promise<string> => (await failureOf(nftables.list(filter as RulesetFilter))).message
  assert.match(await refused({ famly: 'ip' }), /'famly' is unknown; did you mean 'family'\?/)
  assert.match(await refused({ family: 'ipv4' }), /^filter\.family: 'ipv4' is unknown; did you mean 'ip'\?/)
  assert.match(await refused({ kind: 'sets' }), /^filter\.kind: 'sets' is unknown; did you mean 'set'\?/)
  assert.match(await refused({ table: 5 }), /^filter\.table must be a name/)
})

test.run()
