// What is said in nft's own language to compare with.

import { run } from '../../support/command.ts'

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
ip6 daddr fd00::1-fd00::9 accept
icmp type echo-request accept
icmpv6 type echo-request accept
ether saddr 02:00:00:00:00:01 accept
@nh,0,48 0x108000604 accept
@th,192,16 != 0x101-0x201 accept
@th,64,16 & 0xfff8 == 0x8 accept
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
meta iifgroup 4026531840/4 accept
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
masquerade random,persistent
meta l4proto tcp masquerade to :1024
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

/** A table with the rule in its chain c. */
export const script = (rule: string, hook: string): string => `
table inet t {${sets}
  chain other { }
  chain c { ${hook}; ${rule}; }
}`

const namedSets = `
set a { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.1.7, 255.255.255.0/24 }; }
set a { type ipv4_addr; flags interval; elements = { 0.0.0.0/1 comment "half", 200.0.0.1-200.0.0.9 }; }
set a { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90, 1.2.3.4 . 22 comment "ssh" }; }
set a { type ipv4_addr . ifname; flags interval; elements = { 10.1.0.0/24 . "br0" }; }
set a { type ifname; flags interval; elements = { "eth*", "br0" }; }
set a { type ipv6_addr; flags interval; elements = { fd00::/8, ::1, ff00::/8 }; }
set a { type ipv4_addr; flags interval; elements = { 255.255.255.254/31 }; }
set a { type ipv6_addr . inet_service . ipv6_addr; flags interval; elements = { fd00::/8 . 80-90 . ::1 }; }
set a { type ifname; elements = { "a23456789012345" }; }
set a { type mark; flags interval; elements = { 1-5, 9, 0xfffffff0-0xffffffff }; }
set a { type mark; elements = { 1, 0x2000 }; }
set a { type ether_addr; elements = { 02:00:00:00:00:01 }; }
set a { type inet_proto . inet_service; elements = { tcp . 80, udp . 53 comment "dns" }; }
set a { type ipv4_addr; size 100; policy memory; comment "few"; }
set a { type ipv4_addr; flags constant; elements = { 1.2.3.4 }; }
set a { type ipv4_addr; timeout 1h; gc-interval 10s; }
set a { type ipv4_addr; flags timeout; elements = { 1.2.3.4 timeout 10d }; }
set a { type ct_state; elements = { established, new }; }
map a { type ipv4_addr : verdict; flags interval; elements = { 10.0.0.0/8 : drop, 11.0.0.0/8 : accept }; }
map a { type ipv4_addr : ipv4_addr . inet_service; elements = { 1.2.3.4 comment "there" : 5.6.7.8 . 80 }; }
map a { type inet_service : mark; elements = { 80 : 5 }; }
map a { type mark : ifname; elements = { 1 : "br0" }; }
chain c { type filter hook input priority -10; policy drop; accept comment "a rule"; }
chain c { type route hook output priority 5; }
`
const lines = (text: string): string[] => text.trim().split('\n')

/** Rules in nft's language, each with what its chain must be. */
export const ruleCorpus: readonly { readonly rule: string; readonly hook: string }[] = (
  [
    [rules, ''],
    [natRules, 'type nat hook prerouting priority dstnat'],
    [sourceNatRules, 'type nat hook postrouting priority srcnat'],
    [rejectRules, 'type filter hook forward priority filter'],
  ] as const
).flatMap(([texts, hook]) => lines(texts).map((rule) => ({ rule, hook })))

/** Sets, maps and chains. */
export const setCorpus: readonly string[] = lines(namedSets)

const probe = await run('nft', ['-c', '-f', '-'], { input: script('queue num 1', 'type filter hook forward priority filter') })
export const lacksQueue: false | string = probe.code !== 0 && 'the kernel has no NFT_QUEUE'
