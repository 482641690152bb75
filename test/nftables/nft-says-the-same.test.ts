// The compiler against nft itself: each rule is given to nft in its own language, nft says with --debug=netlink what it sends and with -j
// what it is in JSON, and that JSON compiled here must come out as the same expressions and the same elements of anonymous sets.

import * as assert from 'uvu/assert'
import { compile } from '../../lib/nftables/compile/compile.ts'
import type { Command } from '../../lib/nftables/schema.ts'
import { json, output, run } from '../support/command.ts'
import { suite } from '../support/suite.ts'
import { bytecode, elementLines } from './support/bytecode.ts'

const test = suite('nft says the same')

const rules = `
ct state established,related accept
ct state != established accept
ct state { established, related } accept
ct state vmap { invalid : drop, established : accept }
ct status dnat accept
ct status dnat,snat accept
ct direction reply accept
ct original ip saddr 1.2.3.4 accept
ct mark & 0x2000 == 0x2000 accept
ct mark set ct mark | 0x2000
ct mark set meta mark
tcp flags syn accept
tcp flags == syn accept
tcp flags & (syn|rst) == syn accept
tcp dport 80 accept
tcp dport != 80 accept
tcp dport 80-90 accept
tcp dport != 80-90 accept
tcp dport >= 1024 accept
tcp dport { 80, 443 } accept
tcp dport vmap { 22 : accept, 80-90 : drop }
udp sport 53 accept
sctp dport 9 accept
ip saddr 10.0.0.0/8 accept
ip saddr 10.0.0.0/12 accept
ip saddr 10.0.0.1 accept
ip daddr != 10.0.0.0/8 accept
ip daddr != 10.0.0.0/12 accept
ip daddr 10.0.0.1-10.0.0.9 accept
ip saddr { 1.2.3.4, 10.0.0.0/8 } accept
ip saddr != { 1.2.3.4, 10.0.0.0/8 } accept
ip saddr { 10.0.0.0/9, 10.128.0.0/9, 255.255.255.0/24 } accept
ip saddr @subnets accept
ip saddr != @subnets accept
ip saddr . tcp dport { 1.2.3.4 . 80 } accept
ip daddr . tcp dport { 1.2.3.4 . 80-90, 10.0.0.0/8 . 22 } accept
ip daddr . tcp dport vmap { 1.2.3.4 . 80 : accept }
ip protocol tcp tcp dport 80 accept
ip protocol icmp accept
ip ttl set 5
ip daddr set 1.2.3.4
tcp dport set 80
ip6 saddr fe80::/10 accept
ip6 daddr fd00::1 accept
icmp type echo-request accept
icmpv6 type echo-request accept
ether saddr 02:00:00:00:00:01 accept
iifname "lo" accept
iifname != "lo" accept
iifname "eth*" accept
iifname != "eth*" accept
iifname { "lo", "br0" } accept
iifname vmap { "lo" : accept, "br0" : jump other }
iifname . oifname { "br0" . "br0" } accept
iifname . oifname @pairs accept
oifname vmap @verdicts
meta nfproto ipv6 accept
meta l4proto { tcp, udp } th dport 53 accept
meta l4proto tcp tcp dport 80 accept
meta protocol ip accept
meta skuid 1000 accept
meta pkttype broadcast drop
meta length > 100 accept
meta mark 1-5 accept
meta mark > 5 accept
meta mark { 1-5, 9 } accept
meta mark { 1, 9 } accept
meta mark @marks accept
meta mark @spans accept
meta mark & 0xff == 5 accept
meta mark & 0xff != 0 accept
meta mark set 5
meta mark set meta mark & 0xff | 0x100
meta mark set meta mark << 8
meta mark set ct mark ^ 0x1
meta mark set ip daddr map @to_mark
meta mark set ip daddr map { 1.2.3.4 : 5 }
fib daddr type local accept
fib daddr . iif type != local drop
fib saddr . iif oif 0 accept
counter packets 3 bytes 5
log prefix "z" level err
limit rate 10/second accept
limit rate over 1 mbytes/second burst 10 kbytes drop
log prefix "x"
log group 2 snaplen 64 prefix "y"
notrack
return
jump other
goto other
drop
`

const natRules = `
dnat ip to ip daddr . meta l4proto . th dport map @ports_at
dnat ip to meta l4proto . th dport map @ports
dnat ip to 1.2.3.4
dnat ip to 1.2.3.4-1.2.3.9
meta l4proto tcp dnat ip to 1.2.3.4:80
tcp dport 80 dnat ip6 to [fe80::1]:80
dnat ip to tcp dport map { 80 : 1.2.3.4 . 8080 }
dnat ip to tcp dport map { 80 : 1.2.3.4 }
tcp dport 80 redirect to :8080
redirect
`

const sourceNatRules = `
masquerade
masquerade fully-random
meta l4proto tcp masquerade to :1000-2000
snat ip to 1.2.3.4
meta l4proto tcp snat ip to 1.2.3.4:1000 random,persistent
meta l4proto udp snat ip to 1.2.3.4-1.2.3.9:1000-2000
`

const rejectRules = `
reject
reject with tcp reset
reject with icmp type host-unreachable
reject with icmpx type admin-prohibited
ip saddr 1.2.3.4 reject
queue num 0-3 bypass
queue num 1
`

const sets = `
  map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map ports_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map to_mark { type ipv4_addr : mark; }
  map verdicts { type ifname : verdict; }
  set subnets { type ipv4_addr; flags interval; }
  set pairs { type ifname . ifname; }
  set marks { type mark; }
  set spans { type mark; flags interval; }
`

const script = (rule: string, hook: string): string => `
table inet t {${sets}
  chain other { }
  chain c { ${hook}; ${rule}; }
}`

type Listed = { nftables: Record<string, Record<string, unknown>>[] }

/** Sets and rules of the listing as commands that add them. */
function additions(listed: Listed): Command[] {
  return listed.nftables.flatMap((object) => {
    const [kind = ''] = Object.keys(object)
    return ['set', 'map', 'rule'].includes(kind) ? [{ add: object } as unknown as Command] : []
  })
}

/** The lines that nft printed for the rule of chain c, and those of the elements of its anonymous sets. */
function said(debug: string): { expressions: string[]; elements: string[] } {
  const lines = debug.split('\n')
  const elements = lines
    .filter((_, index) => /^__(set|map)%d t 0$/.test(lines[index - 1] ?? ''))
    .flatMap((line) => line.split('[end]'))
    .map((line) => line.replace(/^\s*(userdata = \{.*?\})?\s*element /, '').trim())
    .filter((line) => line !== '' && !line.startsWith('userdata'))
  const start = lines.lastIndexOf('inet t c')
  const expressions = lines.slice(start + 1).flatMap((line) => /^ {2}\[ (.*?) *\]$/.exec(line)?.[1] ?? [])
  return { expressions, elements }
}

/** nft puts an end before the first interval, and lists elements in an order of its own. */
const settled = (elements: readonly string[]): string[] => elements.filter((line) => !/^(00000000 ?)+ : 1$/.test(line)).sort()

async function compare(rule: string, hook: string): Promise<void> {
  await using _cleanup = { [Symbol.asyncDispose]: () => output('nft', ['flush', 'ruleset']).then(() => {}) }
  const sent = await run('nft', ['--debug=netlink', '-f', '-'], { input: script(rule, hook) })
  assert.is(sent.code, 0, `nft takes ${rule}: ${sent.stderr}`)
  const listed = await json<Listed>('nft', ['list', 'table', 'inet', 't'])
  const compiled = compile(additions(listed))
  const ours = compiled.messages.filter(({ type }) => type === 'NFT_MSG_NEWRULE').at(-1)
  if (ours === undefined) throw new Error(`no rule for ${rule}`)
  const { expressions, elements } = said(sent.stdout)
  assert.equal(bytecode(ours), expressions, rule)
  const inPlace = compiled.messages.filter(
    ({ type, body }) => type === 'NFT_MSG_NEWSETELEM' && String(body['set']).startsWith('__'),
  )
  assert.equal(settled(inPlace.flatMap(elementLines)), settled(elements), `elements of ${rule}`)
}

const probe = await run('nft', ['-c', '-f', '-'], { input: script('queue num 1', 'type filter hook forward priority filter') })
const lacksQueue = probe.code !== 0 && 'the kernel has no NFT_QUEUE'

for (const [texts, hook] of [
  [rules, ''],
  [natRules, 'type nat hook prerouting priority dstnat'],
  [sourceNatRules, 'type nat hook postrouting priority srcnat'],
  [rejectRules, 'type filter hook forward priority filter'],
] as const) {
  for (const rule of texts.trim().split('\n')) {
    test.skipIf(rule.startsWith('queue') && lacksQueue, rule, () => compare(rule, hook))
  }
}

test.run()
