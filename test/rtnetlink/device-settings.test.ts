// The IPv4 and IPv6 settings of devices, with the files of /proc/sys as the witness.

import * as assert from 'uvu/assert'
import { createNetns, type DeviceSettings, type Ipv6Settings, type Netns } from '../../lib/index.ts'
import { ipv4Settings, ipv6Settings } from '../../lib/rtnetlink/link/device-settings-table.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const test = suite('settings of devices')

type Table = Readonly<Record<string, readonly [sysctl: string, at: number, kind: string, by: string]>>
const tables: Readonly<Record<'ipv4' | 'ipv6', Table>> = { ipv4: ipv4Settings, ipv6: ipv6Settings }
const generations = ['eui64', 'none', 'stable_secret', 'random']

async function town(): Promise<Netns> {
  const ns = await createNetns()
  await ns.createBridge({ name: 'br0' })
  await ns.createBridge({ name: 'eth0.10' })
  return ns
}

/** All files of a device, by name. */
async function files(ns: Netns, family: string, device: string): Promise<Map<string, string>> {
  const folder = `/proc/sys/net/${family}/conf/${device}`
  // One of them (stable_secret) cannot be read before it is set.
  const { stdout } = await run('sh', ['-c', `cd ${folder} && grep -s '' *`], { netns: ns })
  const lines = stdout.trim().split('\n')
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

const asText = (value: unknown): string =>
  typeof value === 'string'
    ? String(generations.indexOf(value))
    : typeof value === 'boolean'
      ? String(Number(value))
      : String(value)

/** Every setting of the tables that the kernel has is in `settings`, with the value of its file. */
async function compare(ns: Netns, device: string, settings: DeviceSettings): Promise<number> {
  let compared = 0
  for (const family of ['ipv4', 'ipv6'] as const) {
    const shown = await files(ns, family, device)
    for (const [name, [sysctl]] of Object.entries(tables[family])) {
      const value = (settings[family] as Readonly<Record<string, unknown>> | undefined)?.[name]
      // The array has places for what the kernel was built without.
      if (!shown.has(sysctl)) continue
      assert.is(asText(value), shown.get(sysctl)?.trim(), `${device} ${family}.${name}`)
      compared++
    }
  }
  return compared
}

test('what is read of a device, of all and of default is what the files say, each setting', async () => {
  await using ns = await town()
  for (const ref of ['br0', 'lo', 'eth0.10', 'all', 'default']) {
    assert.ok((await compare(ns, ref, await ns.getDeviceSettings(ref))) > 70, ref)
  }
})

test('each setting is changed alone, to a value of its own, and nothing else with it', async () => {
  await using ns = await town()
  /** Those that take other values than most. */
  const special: Readonly<Record<string, unknown>> = {
    mtu: 1400,
    rpFilter: 2,
    arpIgnore: 2,
    arpAnnounce: 2,
    acceptRaDefrtr: false,
    raDefrtrMetric: 77,
    addrGenMode: 'none',
    hopLimit: 77,
    ndiscTclass: 8,
    acceptRaMinLft: 77,
    forceIgmpVersion: 2,
    forceMldVersion: 1,
    disable: true,
    // The kernel counts its clock's ticks.
    mldv1UnsolicitedReportInterval: 2000,
    mldv2UnsolicitedReportInterval: 2000,
    igmpv2UnsolicitedReportInterval: 2000,
    igmpv3UnsolicitedReportInterval: 2000,
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const [name, [sysctl, , kind, by]] of Object.entries(tables[family])) {
      const before = await ns.getDeviceSettings('br0')
      const values = before[family] as Readonly<Record<string, unknown>>
      if (by === 'none' || !(await files(ns, family, 'br0')).has(sysctl)) continue
      const old = values[name]
      const fresh = special[name] ?? (kind === 'flag' ? old !== true : old === 1 ? 2 : 1)
      await ns.setDeviceSettings('br0', { [family]: { [name]: fresh } })
      const after = await ns.getDeviceSettings('br0')
      await compare(ns, 'br0', after)
      assert.equal(after, { ...before, [family]: { ...values, [name]: fresh } }, `${family}.${name}`)
      await ns.setDeviceSettings('br0', { [family]: { [name]: old } })
      assert.equal(await ns.getDeviceSettings('br0'), before, `${family}.${name} back`)
    }
  }
})

test('every file is in the table, or is one that netlink does not tell', async () => {
  await using ns = await town()
  const missing = async (family: 'ipv4' | 'ipv6'): Promise<string[]> => {
    const known = new Set(Object.values(tables[family]).map(([sysctl]) => sysctl))
    return [...(await files(ns, family, 'br0')).keys()].filter((name) => !known.has(name))
  }
  assert.equal(await missing('ipv4'), [])
  const untold = ['stable_secret', 'ioam6_id', 'ioam6_id_wide', 'force_forwarding', 'ra_honor_pio_life', 'ra_honor_pio_pflag']
  untold.push('regen_min_advance')
  assert.equal(
    (await missing('ipv6')).filter((name) => !untold.includes(name)),
    [],
  )
})

test('many at once: what netlink takes is one message, and the rest follows', async () => {
  await using ns = await town()
  const wanted = {
    ipv4: {
      forwarding: true,
      rpFilter: 2,
      proxyArp: true,
      arpIgnore: 1,
      arpAnnounce: 2,
      arpNotify: true,
      acceptLocal: true,
      mediumId: -1,
    },
    ipv6: {
      forwarding: true,
      acceptRa: 0,
      acceptDad: 2,
      dadTransmits: 3,
      useTempaddr: -1,
      proxyNdp: true,
      addrGenMode: 'random',
    },
  } satisfies DeviceSettings
  const link = await ns.getLink('eth0.10')
  await ns.setDeviceSettings(link, wanted)
  const found = await ns.getDeviceSettings(link.index)
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const [name, value] of Object.entries(wanted[family])) {
      assert.is((found[family] as Readonly<Record<string, unknown>>)[name], value, name)
    }
  }
  await compare(ns, 'eth0.10', found)
})

test('default is what new devices start from, all is a setting of its own', async () => {
  await using ns = await town()
  await ns.setDeviceSettings('default', { ipv4: { rpFilter: 1, arpNotify: true }, ipv6: { disable: true } })
  await ns.setDeviceSettings('all', { ipv4: { logMartians: true } })
  await ns.createBridge({ name: 'br1' })
  const { ipv4, ipv6 } = await ns.getDeviceSettings('br1')
  assert.equal([ipv4?.rpFilter, ipv4?.arpNotify, ipv6?.disable], [1, true, true])
  assert.is((await ns.getDeviceSettings('all')).ipv4?.logMartians, true)
  assert.is(ipv4?.logMartians, false)
})

test('a device without IPv6 has no settings of it, and setting one is ENOENT', async () => {
  await using ns = await town()
  await ns.setLink('br0', { mtu: 1000 })
  assert.is((await ns.getDeviceSettings('br0')).ipv6, undefined)
  assert.is((await failureOf(ns.setDeviceSettings('br0', { ipv6: { acceptRa: 0 } }))).code, 'ENOENT')
  await ns.setDeviceSettings('br0', { ipv4: { rpFilter: 1 } })
  assert.is((await ns.getDeviceSettings('br0')).ipv4?.rpFilter, 1)
})

test('a device that is not there is ENODEV, a value that the kernel does not take is its refusal', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  assert.is((await failureOf(ns.getDeviceSettings('nobody'))).code, 'ENODEV')
  assert.is((await failureOf(ns.setDeviceSettings('nobody', { ipv4: { rpFilter: 1 } }))).code, 'ENODEV')
  const wrong: Ipv6Settings = { raDefrtrMetric: 0 }
  assert.is((await failureOf(ns.setDeviceSettings('br0', { ipv6: wrong }))).code, 'EINVAL')
  assert.equal(await kernelState(ns), before)
})

test('nothing to change is nothing done', async () => {
  await using ns = await town()
  const before = await ns.getDeviceSettings('br0')
  await ns.setDeviceSettings('br0', {})
  await ns.setDeviceSettings('br0', { ipv4: {} })
  assert.equal(await ns.getDeviceSettings('br0'), before)
})

test.run()
