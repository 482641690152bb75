// What is wrong around the networks of a host is said before, or instead of, the damage.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createNetwork, diagnose, host, type NetlinkWarning, type Network } from '../../lib/index.ts'
import { fullNeighborTables } from '../../lib/network/host/diagnose.ts'
import { neighborTables } from '../../lib/network/host/neighbor-table.ts'
import { failureOf } from '../support/failure.ts'
import { createLab, kernelState, output, ping, writeSysctl } from '../support/lab.ts'
import { askProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { sweep } from './support/sweep.ts'

const spec = { name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'] }
const nft = (text: string): Promise<string> => output('nft', ['-f', '-'], { input: text })

/** What iptables-nft, ufw or Docker leave, and what firewalld does. */
const strangers: readonly (readonly [ruleset: string, message: RegExp])[] = [
  [
    'table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; ct state established accept; }; }',
    /^table ip filter, chain FORWARD \(hook forward, priority 0\): its policy is drop, so containers/,
  ],
  [
    'table inet firewalld { chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept; ct status dnat accept; counter log prefix "no: " reject with icmpx type admin-prohibited; }; }',
    /^table inet firewalld, chain filter_FORWARD \(hook forward, priority 10\): a rule of it refuses all that came so far/,
  ],
]
/** Chains that let pass, or that no packet of a container meets. */
const harmless = `
table ip filter { chain FORWARD { type filter hook forward priority filter; policy accept; ip saddr 192.0.2.66 drop; }
                  chain INPUT { type filter hook input priority filter; policy drop; }
                  chain unused { drop; }; }
table arp other { chain input { type filter hook input priority filter; policy drop; }; }
`

{
  const test = suite('diagnose')
  test.after.each(sweep)

  test('finds nothing wrong with a host that is right, whatever else it filters', async () => {
    assert.equal(await diagnose(), [])
    await nft(harmless)
    const lab = await createNetwork(spec)
    await lab.attach({ name: 'web', publish: ['8080:80'] })
    const before = await kernelState()
    assert.equal(await diagnose({ host }), [])
    assert.equal(changes(before, await kernelState()), [], 'it changes nothing')
    await lab.delete({ force: true })
  })

  test('names the table and the chain of others that drop, and they do', async () => {
    await using lab = await createLab()
    for (const [ruleset, message] of strangers) {
      const network = await createNetwork({ ...spec, subnets: ['10.9.0.0/24'] })
      const web = await network.attach({ name: 'web' })
      const at = { path: web.netns.path }
      assert.ok(await ping(lab.internetAddress, { netns: at }))
      await nft(ruleset)
      const findings = await diagnose()
      assert.equal(
        findings.map(({ code }) => code),
        ['FOREIGN_CHAIN'],
      )
      assert.match(findings[0]?.message ?? '', message)
      assert.not(await ping(lab.internetAddress, { netns: at }))
      await network.delete({ force: true })
      await output('nft', ['flush', 'ruleset'])
    }
  })

  test('tells of forwarding that somebody turned off, of each family, and not for internal networks', async () => {
    const lab = await createNetwork(spec)
    const inner = await createNetwork({ name: 'inner', subnets: ['10.8.0.0/24'], internal: true })
    for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
      await writeSysctl(key, 0)
      const [finding, ...others] = await diagnose()
      assert.equal(others, [])
      assert.equal(
        [finding?.code, finding?.message],
        ['FORWARDING_OFF', `${key} is 0: the containers of 'lab' reach nobody but each other`],
      )
      await writeSysctl(key, 1)
    }
    await Promise.all([lab, inner].map((network) => network.delete()))
  })

  test('refuses unknown options', async () => {
    assert.match((await failureOf(diagnose({ hos: host } as never))).message, /'hos' is unknown; did you mean 'host'/)
  })

  test.run()
}

{
  const test = suite('a network that is made on a host with obstacles')
  test.after.each(sweep)

  test('is made, and a warning says what is in the way to whoever listens', async () => {
    const heard: NetlinkWarning[] = []
    const listener = (message: unknown): void => void heard.push(message as NetlinkWarning)
    subscribe('netlink-ct:warning', listener)
    await nft(strangers.map(([ruleset]) => ruleset).join('\n'))
    const lab: Network = await createNetwork(spec)
    unsubscribe('netlink-ct:warning', listener)
    assert.is(heard.length, 2)
    for (const [at, [, message]] of strangers.entries()) {
      assert.equal([heard[at]?.source, heard[at]?.operation, heard[at]?.netns], ['library', 'make the network lab', host.inode])
      assert.match(heard[at]?.message ?? '', message)
    }
    await lab.delete()
  })

  test('is not made where forwarding is off and may not be turned on, and nothing is left', async () => {
    const before = await kernelState()
    for (const [subnet, key] of [
      ['10.9.0.0/24', 'net.ipv4.ip_forward'],
      ['fd00:9::/64', 'net.ipv6.conf.all.forwarding'],
    ] as const) {
      const file = `/proc/sys/${key.replaceAll('.', '/')}`
      const readOnly = `mount --bind ${file} ${file} && mount -o remount,ro,bind ${file} && exec "$@"`
      const told = await askProgram<{ code: string; message: string; cause: string }>(
        `const tell = (e) => ({ code: e.code, message: e.message, cause: e.cause?.code });
         console.log(JSON.stringify(await ct.createNetwork({ name: 'lab', subnets: ['${subnet}'] }).then(() => 'made', tell)))`,
        { within: ['unshare', '--mount', 'sh', '-c', readOnly, 'sh'] },
      )
      assert.equal([told.code, told.cause], ['FORWARDING_OFF', 'EROFS'], told.message)
      assert.ok(told.message.includes(`this process may not change that; sysctl -w ${key}=1 does`), told.message)
    }
    assert.equal(changes(before, await kernelState()), [])
  })

  test('takes no containers of a process for which settings are read-only, and leaves nothing', async () => {
    const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
    const before = await kernelState()
    const readOnly = 'mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec "$@"'
    const told = await askProgram<{ code: string; message: string }>(
      `const tell = ({ code, message }) => ({ code, message });
       console.log(JSON.stringify(await (await ct.openNetwork('lab')).attach({ name: 'web' }).then(() => 'made', tell)))`,
      { within: ['unshare', '--mount', 'sh', '-c', readOnly, 'sh'] },
    )
    assert.is(told.code, 'EROFS', JSON.stringify(told))
    assert.match(told.message, /\/proc\/sys\/net\/ipv6\/conf\/default\/disable_ipv6/)
    assert.equal(changes(before, await kernelState()), [])
    await lab.attach({ name: 'web' })
    await lab.delete({ force: true })
  })

  test.run()
}

{
  const test = suite('neighbor tables')

  test('are read as the kernel writes them, and are no error where they cannot be seen', async () => {
    const proc = mkdtempSync(join(tmpdir(), 'proc-'))
    assert.equal(await neighborTables(proc), [])
    mkdirSync(join(proc, 'net/stat'), { recursive: true })
    mkdirSync(join(proc, 'sys/net/ipv4/neigh/default'), { recursive: true })
    const line = '000003f9 000037cd 00003933'
    writeFileSync(join(proc, 'net/stat/arp_cache'), `entries  allocs   destroys\n${line}\n${line}\n`)
    writeFileSync(join(proc, 'sys/net/ipv4/neigh/default/gc_thresh3'), '1024\n')
    assert.equal(await neighborTables(proc), [{ family: 'inet', entries: 1017, limit: 1024 }])
    const nearlyFull = async () => (await fullNeighborTables(host, proc)).map(({ code }) => code)
    assert.equal(await nearlyFull(), ['NEIGHBORS_NEARLY_FULL'])
    // As the driver ptp makes them: as many again are inside the containers.
    await output('ip', ['link', 'add', 'near', 'up', 'type', 'veth', 'peer', 'name', 'far'])
    const entries = Array.from({ length: 60 }, (_, number) => `neigh add 10.9.0.${number + 1} lladdr 02:00:00:00:00:01 dev near`)
    await output('ip', ['-batch', '-'], { input: entries.join('\n') })
    assert.equal(await nearlyFull(), [], '897 of the 1017 count')
    await output('ip', ['link', 'delete', 'near'])
    rmSync(proc, { recursive: true })
  })

  test.run()
}
