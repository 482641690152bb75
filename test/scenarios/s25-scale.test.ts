// S25: what breaks at scale. By hand: exchange full, neighbour: arp_cache: neighbor table overflow!, and a rule for every port

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createNetwork, diagnose, host } from '../../lib/index.ts'
import { fullNeighborTables } from '../../lib/network/host/diagnose.ts'
import { elementsShown } from '../network/support/witness.ts'
import { failureOf } from '../support/failure.ts'
import { json, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { inLab } from './support/scenario.ts'

const test = suite('S25: what breaks at scale', { limit: 180_000 })

const codes = async (): Promise<string[]> => (await diagnose()).map(({ code }) => code)

test('a bridge that fills up is told before it is full, and then by name', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const fill = async (from: number, to: number): Promise<void> => {
      const lines = Array.from({ length: to - from }, (_, i) => `link add port${from + i} master br0 group 77 type ifb`)
      await output('ip', ['-batch', '-'], { input: lines.join('\n'), limit: 120_000 })
    }
    await fill(0, 920)
    assert.equal(await codes(), [])
    await fill(920, 1023)
    assert.equal(await codes(), ['BRIDGE_NEARLY_FULL'])
    const { code, message } = await failureOf(network.attach({ name: 'web' }))
    assert.is(code, 'BRIDGE_FULL')
    assert.match(message, /1023/)
    const ports = await json<unknown[]>('ip', ['link', 'show', 'master', 'br0'], { limit: 60_000 })
    assert.is(ports.length, 1023, 'nothing of it is left')
    await output('ip', ['link', 'delete', 'group', '77'], { limit: 120_000 })
    await network.delete()
  })
})

test('a neighbor table that fills up is told before it is full, with the sysctl that helps', async () => {
  // Seen from the initial namespace only, so of a /proc that says so.
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  mkdirSync(join(proc, 'net/stat'), { recursive: true })
  mkdirSync(join(proc, 'sys/net/ipv4/neigh/default'), { recursive: true })
  writeFileSync(join(proc, 'sys/net/ipv4/neigh/default/gc_thresh3'), '1024\n')
  const found = async (entries: number): Promise<string[]> => {
    writeFileSync(
      join(proc, 'net/stat/arp_cache'),
      `entries  allocs   destroys\n${entries.toString(16).padStart(8, '0')} 00000000 00000000\n`,
    )
    return (await fullNeighborTables(host, proc)).map(({ message }) => message)
  }
  assert.equal(await found(800), [])
  const [message] = await found(1000)
  assert.match(message ?? '', /^the neighbor table of IPv4, .*sysctl -w net\.ipv4\.neigh\.default\.gc_thresh3=8192$/)
  rmSync(proc, { recursive: true })
})

test('a published port is an element of a map: two hundred take no rule more than one', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const rules = async (): Promise<number> => {
      const { nftables } = await json<{ nftables: object[] }>('nft', ['list', 'table', 'inet', 'netlink-ct'])
      return nftables.filter((object) => 'rule' in object).length
    }
    const web = await network.attach({ name: 'web', publish: ['8000:80'] })
    const before = await rules()
    await web.publish('8001-8199:1001-1199')
    assert.is((await elementsShown('ports4')).length, 200)
    assert.is(await rules(), before)
    await network.delete({ force: true })
  })
})

test.run()
