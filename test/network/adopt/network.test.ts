// Networks on bridges that somebody else has: joined, used and left as they were, told by the outside tools.

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import {
  check,
  createNetns,
  createNetwork,
  type Damage,
  diagnose,
  type ExistingBridge,
  gc,
  listNetworks,
  type Network,
  type NetworkError,
  type NetworkSpec,
  openNetwork,
  repair,
} from '../../../lib/index.ts'
import { failureOf } from '../../support/failure.ts'
import { askUdp, curl, kernelState, output, ping, readSysctl, writeSysctl } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { type Resident, settle } from '../matrix/resident.ts'
import { changes } from '../support/changes.ts'
import { sweep } from '../support/sweep.ts'
import { addressesShown, elementsShown, linkShown, routesShown } from '../support/witness.ts'
import { createEstate, type Estate, ip } from './estate.ts'

const bridge: ExistingBridge = { existing: 'br0' }
/** The others' halves. */
const reserved = ['192.168.50.0/25']
const dual = { ipv6: true, reserved: [...reserved, 'fd00:50::/121'] } as const

const join = (spec: Partial<NetworkSpec> = {}): Promise<Network> =>
  createNetwork({
    name: 'lab',
    bridge,
    ...(spec.subnets === undefined && spec.reserved === undefined ? { reserved } : {}),
    ...spec,
  })

/** With the links' own addresses, which kernelState leaves out. */
async function wholeState(): Promise<unknown> {
  return {
    ...(await kernelState()),
    linkLocal: await output('ip', ['-6', '-o', 'address', 'show', 'dev', 'br0', 'scope', 'link']),
  }
}

const promotion = 'net/ipv4/conf/br0/promote_secondaries'

const expectSame = async (before: unknown, what: string): Promise<void> =>
  assert.equal(changes(before, await wholeState()), [], what)

/** What `body` does leaves the kernel as it was. */
async function unchanged<T>(body: () => Promise<T>): Promise<T> {
  const before = await wholeState()
  const result = await body()
  await expectSame(before, 'the kernel is as before')
  return result
}

const refused = (code: string, spec: Partial<NetworkSpec>): Promise<string> =>
  unchanged(async () => {
    const failure = (await failureOf(join(spec))) as NetworkError
    assert.is(failure.code, code, failure.message)
    return failure.message
  })

const assertCode = async (code: string, call: Promise<unknown>): Promise<void> => {
  const failure = (await failureOf(call)) as NetworkError
  assert.is(failure.code, code, failure.message)
}

const inside = ({ netns }: { readonly netns: { readonly path: string } }): { path: string } => ({ path: netns.path })

/** The estate for `body`, who leaves it as it was. */
const onEstate = (body: (estate: Estate) => Promise<unknown>): Promise<void> => onChangedEstate([], body)

/** After what `ip -batch` does with it. */
async function onChangedEstate(lines: readonly string[], body: (estate: Estate) => Promise<unknown>): Promise<void> {
  await using estate = await createEstate()
  await ip(lines)
  try {
    await unchanged(() => body(estate))
  } catch (error) {
    await sweep() // one failure is enough
    throw error
  }
}

{
  const test = suite('a bridge that was there before')

  test('gets a network of its address, and is as it was when that goes', () =>
    onEstate(async (estate) => {
      const network = await join()
      assert.equal(network.toJSON(), {
        name: 'lab',
        driver: 'bridge',
        subnets: ['192.168.50.0/24'],
        gateways: ['192.168.50.5'],
        reserved,
        bridge: 'br0',
        adopted: true,
        mtu: 1500,
        internal: false,
        icc: true,
        masquerade: true,
        gatewayMode: { ipv4: 'nat' },
        trusted: [],
        antiSpoofing: false,
      })
      const link = await linkShown('br0')
      assert.is(link?.ifalias, 'owned')
      assert.equal(link?.altnames, [
        `netlink-ct/bridge=${link?.ifindex}`,
        'netlink-ct/lab',
        'netlink-ct/lab=1of1;adopted;localnet=0;icc;masquerade;forwarding=0;reserved=192.168.50.0/25;addresses=192.168.50.5/24',
      ])
      assert.equal(await elementsShown('adopted'), [`${link?.group} comment lab`])
      assert.equal(await elementsShown('others4'), ['192.168.50.0/25 comment lab'])
      assert.is(await readSysctl('net/ipv4/conf/br0/route_localnet'), '1')
      assert.equal(
        (await addressesShown()).filter((line) => line.startsWith('br0')),
        ['br0 192.168.50.5/24'],
      )

      const web = await network.attach({ name: 'web', publish: ['127.0.0.1:8080:80'] })
      assert.equal(web.addresses, ['192.168.50.128/24'])
      assert.equal(await routesShown(inside(web)), ['default via 192.168.50.5 dev eth0', '192.168.50.0/24 dev eth0'])
      assert.ok(await ping('192.168.50.128', { netns: 'vm' }))
      await estate.lab.serve({ netns: inside(web), name: 'web', http: 80 })
      assert.is((await curl('http://127.0.0.1:8080/')).answer?.server, 'web')

      assert.equal(
        (await network.endpoints()).map(({ name }) => name),
        ['web'],
      )
      assert.equal(
        (await listNetworks()).map(({ name }) => name),
        ['lab'],
      )
      assert.equal((await openNetwork('lab')).toJSON(), network.toJSON())
      assert.equal(await check(), [])
      assert.equal(await diagnose(), [])
      const { removed } = await gc()
      assert.equal(Object.values(removed).flat().filter(Boolean), [])
      assert.is(((await failureOf(network.delete())) as NetworkError).code, 'NETWORK_IN_USE')
      await network.delete({ force: true })
      await network.delete()
    }))

  test('is told from one that is made: equal options give the network again, others are refused', () =>
    onEstate(async () => {
      const network = await join()
      assert.equal((await join()).toJSON(), network.toJSON())
      assert.equal((await join({ subnets: ['192.168.50.0/24'], gateways: ['192.168.50.5'], reserved })).name, 'lab')
      const differs = async (spec: Partial<NetworkSpec>, text: string): Promise<void> => {
        const failure = (await failureOf(join({ reserved, ...spec }))) as NetworkError
        assert.is(failure.code, 'NETWORK_DIFFERS')
        assert.ok(failure.message.includes(text), failure.message)
      }
      await differs({ bridge: 'br0', subnets: ['192.168.50.0/24'] }, 'a bridge that was there before')
      await differs({ bridge: { existing: 'br1' } }, 'bridge br0, not br1')
      await differs({ reserved: [] }, 'reserved 192.168.50.0/25, not nothing')
      await differs({ ipv6: true }, 'ipv6 false, not true')
      await differs({ icc: false }, 'icc true, not false')
      await network.delete()

      const made = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
      assert.ok(((await failureOf(join())) as NetworkError).message.includes('a bridge that was made for it'))
      await made.delete()
    }))

  test('has no place for a bridge of its name, and the refusal says what has', () =>
    onEstate(async () => {
      const failure = await failureOf(createNetwork({ name: 'lab', bridge: 'br0' }))
      assert.is(failure.code, 'EEXIST')
      assert.ok(failure.message.endsWith("bridge: { existing: 'br0' } joins a bridge that is there"), failure.message)
    }))

  test('gets the gateways that it lacks, and loses no other address with them', () =>
    onEstate(async () => {
      const subnets = ['10.9.0.0/24', 'fd00:9::/64']
      const network = await join({ subnets })
      assert.equal(network.gateways, ['10.9.0.1', 'fd00:9::1'])
      // A second address of the owner's in the subnet is a secondary one.
      await ip(['address add 10.9.0.7/24 dev br0'])
      assert.ok((await output('ip', ['address', 'show', 'dev', 'br0'])).includes('10.9.0.7/24 scope global secondary'))
      await writeSysctl(promotion, 0)
      const added = ['br0 10.9.0.1/24', 'br0 fd00:9::1/64']
      const shown = async (): Promise<string[]> => [...(await addressesShown()), ...(await addressesShown(undefined, 6))]
      assert.equal(
        (await shown()).filter((line) => added.includes(line)),
        added,
      )
      await network.delete()
      assert.ok((await shown()).includes('br0 10.9.0.7/24'))
      assert.is(await readSysctl(promotion), '0')
      await ip(['address delete 10.9.0.7/24 dev br0'])
    }))

  test('gets a subnet from the pools where it has none', () =>
    onEstate(async () => {
      await ip(['link add br1 type bridge', 'link set br1 up'])
      const network = await createNetwork({ name: 'lab', bridge: { existing: 'br1' } })
      assert.equal(network.subnets, ['172.18.0.0/16'])
      await network.delete()
      assert.equal(
        (await addressesShown()).filter((line) => line.startsWith('br1')),
        [],
      )
      await ip(['link delete br1'])
    }))

  test('without a link-local address gets one that is nobody else’s, for the network’s time', () =>
    onChangedEstate(['address flush dev br0 scope link'], async () => {
      const shown = (): Promise<string> => output('ip', ['-6', '-o', 'address', 'show', 'dev', 'br0', 'scope', 'link'])
      const network = await join(dual)
      assert.match(await shown(), / fe80::[0-9a-f:]+\/64 .* nodad/)
      assert.not.match(await shown(), / fe80::1\/64 /)
      const web = await network.attach({ name: 'web' })
      assert.equal(web.addresses, ['192.168.50.128/24', 'fd00:50::80/64'])
      assert.ok(await ping('fd00:50::80'))
      await network.delete({ force: true })
    }))

  test('keeps its MAC, which without one of its own is the lowest of its ports’, whatever containers come and go', async () => {
    await using _estate = await createEstate()
    const macOf = async (name: string): Promise<string> => (await linkShown(name))?.address ?? ''
    await ip(['link add br1 type bridge', 'link set br1 up'])
    for (const [name, subnet] of [
      ['br0', '192.168.50.0/24'],
      ['br1', '10.9.0.0/24'],
    ] as const) {
      const mac = await macOf(name)
      const network = await createNetwork({
        name: 'lab',
        bridge: { existing: name },
        subnets: [subnet],
        ...(name === 'br0' && { reserved }),
      })
      for (let round = 0; round < 8; round++) await network.attach({ name: `c${round}` })
      assert.is(await macOf(name), mac, `${name} with containers`)
      await network.delete({ force: true })
      assert.is(await macOf(name), mac, `${name} without`)
    }
    await ip(['link delete br1'])
  })

  test('has a network that remembers more than one name holds', () =>
    onEstate(async () => {
      const parts = Array.from({ length: 8 }, (_, at) => `192.168.50.${at * 16}/28`)
      const trusted = ['wg0', 'a;b=c', 'å,ß']
      const network = await join({ subnets: ['192.168.50.0/24'], reserved: parts, trusted })
      const names = (await linkShown('br0'))?.altnames?.filter((name) => /=\dof\d;/.test(name)) ?? []
      assert.ok(names.length >= 2 && names.every((name) => name.length <= 127), names.join('\n'))
      assert.equal((await openNetwork('lab')).toJSON(), network.toJSON())
      await network.delete()
      const many = Array.from({ length: 64 }, (_, at) => `192.168.50.${at * 4}/30`)
      await refused('ERR_OUT_OF_RANGE', { subnets: ['192.168.50.0/24'], reserved: many })
    }))

  test('is one network’s only, also of two that are made at the same time', () =>
    onEstate(async () => {
      const names = ['lab', 'shop', 'farm', 'mill']
      const outcomes = await Promise.allSettled(names.map((name) => createNetwork({ name, bridge, reserved })))
      const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      assert.is(made.length, 1)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected')
          assert.is((outcome.reason as NetworkError).code, 'BRIDGE_IN_USE', String(outcome.reason))
      assert.equal(await check(), [])
      const [network] = made
      const failure = (await failureOf(createNetwork({ name: 'other', bridge, reserved }))) as NetworkError
      assert.is(failure.code, 'BRIDGE_IN_USE')
      assert.ok(failure.message.includes(`of the network '${network?.name}'`), failure.message)
      await network?.delete()

      const own = await createNetwork({ name: 'own', subnets: ['10.9.0.0/24'] })
      const taken = (await failureOf(createNetwork({ name: 'lab', bridge: { existing: own.bridge } }))) as NetworkError
      assert.is(taken.code, 'BRIDGE_IN_USE', taken.message)
      await own.delete()
    }))

  test('and two that are made at the same time with one name are one', () =>
    onEstate(async () => {
      await ip(['link add br1 type bridge', 'link set br1 up'])
      const [one, two] = await Promise.allSettled([
        createNetwork({ name: 'lab', bridge, reserved }),
        createNetwork({ name: 'lab', bridge: { existing: 'br1' }, subnets: ['10.9.0.0/24'] }),
      ])
      const [made] = [one, two].flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      assert.is([one, two].filter(({ status }) => status === 'rejected').length, 1)
      assert.is((await openNetwork('lab')).bridge, made?.bridge)
      await made?.delete()
      await ip(['link delete br1'])
    }))

  test('is refused where it will not do, with what would help, and nothing is changed', () =>
    onEstate(async () => {
      const includes = async (code: string, text: string, spec: Partial<NetworkSpec>): Promise<void> => {
        const message = await refused(code, spec)
        assert.ok(message.includes(text), message)
      }
      await includes('BRIDGE_NOT_FOUND', "no device 'br9'", { bridge: { existing: 'br9' } })
      await includes('BRIDGE_UNFIT', 'lo is no bridge', { bridge: { existing: 'lo' } })
      await includes('BRIDGE_UNFIT', 'up0 is a device of the kind veth, not a bridge', { bridge: { existing: 'up0' } })
      await includes('SUBNET_CONFLICT', '203.0.113.0/24, which the host routes through wan0', { subnets: ['203.0.113.0/25'] })
      await includes('ADDRESS_IN_USE', '192.168.50.1 is a router of the host on br0: reserve it', {
        subnets: ['192.168.50.0/24'],
      })
      await includes('ADDRESS_IN_USE', '192.168.50.1 is a router that the host uses through br0', {
        subnets: ['192.168.50.0/24'],
        gateways: ['192.168.50.1'],
      })
      await includes('ERR_INVALID_ARG_VALUE', 'reserved[0] lies outside of 192.168.50.0/24', { reserved: ['10.9.0.0/25'] })

      const unfit = async (lines: readonly string[], text: string, spec: Partial<NetworkSpec> = {}): Promise<void> => {
        await ip(['link add br2 type bridge', ...lines])
        await includes('BRIDGE_UNFIT', text, { bridge: { existing: 'br2' }, reserved: [], subnets: ['10.9.0.0/24'], ...spec })
        await ip(['link delete br2'])
      }
      const six = { subnets: ['fd00:9::/64'] }
      await unfit([], 'br2 is down: ip link set br2 up')
      await unfit(['link set br2 up group 7'], 'br2 is in the group 7, and the firewall')
      await unfit(['link set br2 up mtu 1000'], 'has an MTU of 1000; IPv6 takes 1280', six)
      const port = ['link add v2 type veth peer name p2', 'link set v2 master br2', 'link delete v2']
      await unfit(['link set br2 up', ...port], 'lost its MAC with its last port: ip link set br2 address')
      const two = ['address add 10.7.0.5/16 dev br2', 'address add 10.8.0.5/16 dev br2', 'link set br2 up']
      await unfit(two, 'in several subnets, 10.7.0.0/16, 10.8.0.0/16: name one in subnets', { subnets: undefined as never })

      await ip(['link add br2 type bridge', 'link set br2 up'])
      const off = async (key: string, value: number, spec: Partial<NetworkSpec>): Promise<void> => {
        const before = await readSysctl(key)
        await writeSysctl(key, value)
        const text = `${key} is ${value}, and a network on br2 needs ${before}: sysctl -w ${key}=${before}`
        await includes('BRIDGE_UNFIT', text, { bridge: { existing: 'br2' }, reserved: [], ...spec })
        await writeSysctl(key, before)
      }
      await off('net/ipv6/conf/br2/disable_ipv6', 1, six)
      await writeSysctl('net.ipv4.ip_forward', 1)
      await off('net/ipv4/conf/br2/forwarding', 0, { subnets: ['10.9.0.0/24'] })
      await writeSysctl('net.ipv4.ip_forward', 0)
      await ip(['address add 10.7.0.5/16 dev br2', 'address add 10.7.0.9/16 dev br2'])
      const taken = (await failureOf(createNetwork({ name: 'lab', bridge: { existing: 'br2' } }))) as NetworkError
      assert.is(taken.code, 'ADDRESS_IN_USE')
      assert.ok(taken.message.includes('10.7.0.9 is an address of the host on br2: reserve it'), taken.message)
      await ip(['link delete br2'])
    }))

  const none = ['10.9.0.0/24']
  for (const [title, spec, code, text] of [
    ['misspelled', { bridge: { exists: 'br0' } }, 'ERR_INVALID_ARG_VALUE', "bridge: 'exists' is unknown; known: existing"],
    ['nameless', { bridge: {} }, 'ERR_INVALID_ARG_TYPE', 'bridge.existing must be a string'],
    ['a number', { bridge: { existing: 7 } }, 'ERR_INVALID_ARG_TYPE', 'bridge.existing must be a string, got 7'],
    [
      'no name of a device',
      { bridge: { existing: 'a/b' } },
      'ERR_INVALID_ARG_VALUE',
      'bridge.existing must be an interface name',
    ],
    ['null', { bridge: null }, 'ERR_INVALID_ARG_TYPE', 'bridge must be an object'],
    ['for the driver ptp', { driver: 'ptp' }, 'ERR_INVALID_ARG_VALUE', 'bridge.existing is for the driver bridge'],
    ['with an MTU', { mtu: 1400 }, 'ERR_INVALID_ARG_VALUE', 'mtu is for a bridge that is made: an existing one keeps its own'],
    ['internal', { internal: true }, 'ERR_INVALID_ARG_VALUE', 'internal makes no sense on an existing bridge: its other ports'],
    ['asking who sends', { antiSpoofing: true }, 'ERR_INVALID_ARG_VALUE', 'antiSpoofing is for a bridge that is made'],
    ['reserved elsewhere', { subnets: none, reserved: ['10.8.0.0/25'] }, 'ERR_INVALID_ARG_VALUE', 'lies outside of 10.9.0.0/24'],
    ['reserved by half', { reserved: ['10.8.0.1/25'] }, 'ERR_INVALID_ARG_VALUE', "write '10.8.0.0/25'"],
  ] as const) {
    test(`is refused before the first message: ${title}`, async () => {
      const given = { name: 'lab', bridge, ...spec } as unknown as NetworkSpec
      const failure = await failureOf(createNetwork(given))
      assert.is(failure.code, code, failure.message)
      assert.ok(failure.message.includes(text), failure.message)
    })
  }

  test('has no address for containers that is another’s', () =>
    onEstate(async () => {
      const network = await join()
      const failure = await failureOf(network.attach({ name: 'web', addresses: ['192.168.50.20/24'] }))
      assert.is(failure.code, 'ERR_INVALID_ARG_VALUE')
      assert.ok(failure.message.includes('addresses[0] lies in 192.168.50.0/25, which is reserved'), failure.message)
      await network.delete()
    }))

  test.run()
}

{
  const test = suite('what passes a bridge that others have', { limit: 120_000 })

  const hasBridgeNetfilter = existsSync('/proc/sys/net/bridge')
  const keys = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables']
  const families = ['ipv4', 'ipv6'] as const
  /** By families: `vm` in the reserved half, `web` and `shop` in the other. */
  const places: Readonly<Record<string, readonly [string, string]>> = {
    host: ['192.168.50.5', 'fd00:50::5'],
    router: ['192.168.50.1', 'fd00:50::1'],
    beyond: ['198.51.100.9', '2001:db8:51::9'],
    vm: ['192.168.50.20', 'fd00:50::20'],
    web: ['192.168.50.130', 'fd00:50::82'],
    shop: ['192.168.50.131', 'fd00:50::83'],
    far: ['10.9.0.2', 'fd00:9::2'],
    lan: ['192.0.2.9', '2001:db8:3::9'],
    gate: ['192.0.2.1', '2001:db8:3::2'],
  }
  const unreachable = 700
  const reachable = 15_000

  /**
   * Who asks whom, and whom the server sees: `.` for nobody. With what passes between ports of the bridge unseen by the firewall, and seen.
   */
  const cells: readonly (readonly [asker: string, target: string, unseen: string, seen?: string])[] = [
    // On the wire they are neighbors.
    ['vm', 'web', 'vm'],
    ['router', 'web', 'router'],
    ['web', 'vm', 'web'],
    ['web', 'router', 'web'],
    ['web', 'shop', 'web'],
    // What the host routes back into the bridge goes as its own, so that answers come back this way.
    ['web', 'beyond', 'host'],
    ['web', 'lan', 'gate'],
    // The others go as they always went.
    ['vm', 'lan', 'vm'],
    ['vm', 'beyond', 'vm'],
    // From elsewhere nobody gets to a container, and everybody to the others as before.
    ['lan', 'web', '.'],
    ['lan', 'vm', 'lan'],
    ['far', 'web', '.'],
    // A container of another network goes to the others as to anybody outside.
    ['far', 'vm', 'host'],
    ['vm', 'far', '.'],
    ['web', 'far', '.'],
    // Published ports.
    ['vm', 'host:8080', 'host'],
    ['router', 'host:8080', 'host'],
    ['lan', 'gate:8080', 'lan'],
    ['far', 'host:8080', 'host'],
    ['shop', 'host:8080', 'host'],
    ['web', 'host:8080', 'host'],
  ]

  const nameOf = (address: string | undefined): string =>
    Object.keys(places).find((name) => places[name]?.includes(address ?? '')) ?? address ?? '.'

  for (const filtered of hasBridgeNetfilter ? [0, 1] : [0]) {
    test(`is for the host to say where it routes, not on the wire: bridge-nf-call-iptables=${filtered}`, async () => {
      const before = await Promise.all(keys.map((key) => readSysctl(key)))
      await using estate = await createEstate()
      try {
        const { lan } = estate.lab
        await ip(['address add 2001:db8:3::2/64 dev lan0 nodad'])
        await ip(['address add 2001:db8:3::9/64 dev eth0 nodad', 'route add fd00:50::/64 via 2001:db8:3::2'], lan)
        // As the host would route for the vm without any network.
        await writeSysctl('net.ipv4.ip_forward', 1)
        await writeSysctl('net.ipv6.conf.all.forwarding', 1)
        if (hasBridgeNetfilter) for (const key of keys) await writeSysctl(key, filtered)
        const state = await wholeState()
        const network = await join(dual)
        const other = await createNetwork({ name: 'far', subnets: ['10.9.0.0/24', 'fd00:9::/64'] })
        const attached = {
          web: await network.attach({ name: 'web', addresses: ['192.168.50.130/24', 'fd00:50::82/64'], publish: ['8080:80'] }),
          shop: await network.attach({ name: 'shop', addresses: ['192.168.50.131/24', 'fd00:50::83/64'] }),
          far: await other.attach({ name: 'far', addresses: ['10.9.0.2/24'] }),
        }
        const residents = new Map<string, Resident>()
        for (const [name, endpoint] of Object.entries(attached)) residents.set(name, await settle(name, inside(endpoint)))
        for (const name of ['vm', 'router', lan]) residents.set(name, await settle(name, name))
        const found = await Promise.all(
          families.flatMap((family, at) =>
            cells.map(async ([asker, target, unseen, seen = unseen]) => {
              const wanted = filtered === 1 ? seen : unseen
              const [name = '', port = '80'] = target.split(':')
              const address = places[name]?.[at] ?? ''
              const said = await residents
                .get(asker)
                ?.ask({ protocol: 'tcp', address, port: Number(port) }, wanted === '.' ? unreachable : reachable)
              const line = (who: string): string => `${family}: ${target} sees ${asker} as ${who}`
              return [line(nameOf(said?.peer)), line(wanted)] as const
            }),
          ),
        )
        assert.equal(
          found.map(([is]) => is),
          found.map(([, wanted]) => wanted),
        )
        await Promise.all(Array.from(residents.values(), (resident) => resident[Symbol.asyncDispose]()))
        await other.delete({ force: true })
        await network.delete({ force: true })
        await expectSame(state, 'the kernel is as before')
      } catch (error) {
        await sweep() // one failure is enough
        throw error
      } finally {
        for (const [at, key] of keys.entries()) if (hasBridgeNetfilter) await writeSysctl(key, before[at] ?? '')
      }
    })
  }

  /** As cells of a network with other options, asked over IPv4. */
  const others: readonly (readonly [
    title: string,
    spec: Partial<NetworkSpec>,
    cells: readonly (readonly [asker: string, target: string, unseen: string, seen: string])[],
  ])[] = [
    [
      'containers stay apart with icc: false, and off others as far as the firewall sees',
      { icc: false },
      [
        ['web', 'shop', '.', '.'],
        ['web', 'vm', 'web', 'web'],
        ['web', 'beyond', 'host', 'host'],
        ['vm', 'web', 'vm', '.'],
      ],
    ],
    [
      'containers of a subnet of their own reach the others under the host’s address, and are reached by theirs through the host',
      { subnets: ['10.7.0.0/24'] },
      [
        ['web', 'vm', 'host', 'host'],
        ['web', 'router', 'host', 'host'],
        ['web', 'beyond', 'host', 'host'],
        ['web', 'shop', 'web', 'web'],
        ['vm', 'web', 'vm', 'vm'],
        ['router', 'web', '.', '.'],
        ['vm', 'host:8080', 'vm', 'vm'],
        ['lan', 'vm', 'lan', 'lan'],
      ],
    ],
  ]
  for (const [title, spec, wishes] of others) {
    for (const filtered of hasBridgeNetfilter ? [0, 1] : [0]) {
      test(`${title}: bridge-nf-call-iptables=${filtered}`, () =>
        onEstate(async ({ lab }) => {
          const [key = ''] = keys
          const before = hasBridgeNetfilter ? await readSysctl(key) : ''
          if (hasBridgeNetfilter) await writeSysctl(key, filtered)
          const network = await join(spec)
          const web = await network.attach({ name: 'web', publish: ['8080:80'] })
          const shop = await network.attach({ name: 'shop' })
          const own: Readonly<Record<string, string>> = Object.fromEntries(
            [web, shop].map(({ name, addresses }) => [name, addresses[0]?.split('/')[0] ?? '']),
          )
          const addressOf = (name: string): string => own[name] ?? places[name]?.[0] ?? ''
          const residents = new Map<string, Resident>()
          for (const endpoint of [web, shop]) residents.set(endpoint.name, await settle(endpoint.name, inside(endpoint)))
          for (const name of ['vm', 'router', lab.lan]) residents.set(name, await settle(name, name))
          const found = await Promise.all(
            wishes.map(async ([asker, target, unseen, seen]) => {
              const wanted = filtered === 1 ? seen : unseen
              const [name = '', port = '80'] = target.split(':')
              const question = { protocol: 'tcp', address: addressOf(name), port: Number(port) } as const
              const said = await residents.get(asker)?.ask(question, wanted === '.' ? unreachable : reachable)
              const who = Object.keys({ ...places, ...own }).find((one) => addressOf(one) === said?.peer) ?? said?.peer ?? '.'
              return [`${target} sees ${asker} as ${who}`, `${target} sees ${asker} as ${wanted}`] as const
            }),
          )
          assert.equal(
            found.map(([is]) => is),
            found.map(([, wanted]) => wanted),
          )
          await Promise.all(Array.from(residents.values(), (resident) => resident[Symbol.asyncDispose]()))
          await network.delete({ force: true })
          if (hasBridgeNetfilter) await writeSysctl(key, before)
        }))
    }
  }

  test.run()
}

{
  const test = suite('what becomes of a bridge that others have')

  const kindsOf = (findings: readonly Damage[]): string[] =>
    findings.map(({ kind, repairable }) => `${kind}${repairable ? '' : ', not ours'}`).sort()

  test('that is gone takes the network along, and gc what is left of it', async () => {
    await using _estate = await createEstate()
    const network = await join({ subnets: ['10.9.0.0/24'] })
    await using netns = await createNetns()
    await network.attach({ name: 'web', netns, publish: ['8080:80'] })
    // Its ports stay, without a master.
    const ports = ['up0', 'tap0']
    await ip(['link delete br0'])
    await assertCode('NETWORK_NOT_FOUND', openNetwork('lab'))
    await assertCode('NETWORK_NOT_FOUND', network.attach({ name: 'db' }))
    assert.equal(kindsOf(await check()), ['network-lost, not ours'])
    assert.equal((await gc()).removed.endpoints, ['lab/web'])
    assert.equal(await elementsShown('networks'), [])
    await network.delete({ force: true })
    for (const name of ports) assert.is((await linkShown(name))?.master, undefined)
  })

  test('is told of and left alone by repair, where it is the owner’s; what is ours comes back', () =>
    onEstate(async () => {
      const network = await join(dual)
      const endpoint = await network.attach({ name: 'web', publish: ['8080:80'] })
      const shown = (name: string): Promise<string> => output('ip', ['-o', 'address', 'show', 'dev', name])

      await ip(['address delete 192.168.50.5/24 dev br0'])
      assert.equal(kindsOf(await check()), ['address-missing, not ours'])
      assert.equal((await repair()).repaired, [])
      assert.not.match(await shown('br0'), / 192\.168\.50\.5\//)
      await ip(['address add 192.168.50.5/24 dev br0', 'route add 198.51.100.0/24 via 192.168.50.1'])
      assert.equal(await check(), [])

      // Others' ports that go down, or come, are none of its matters.
      await ip(['link set tap0 down', 'link add x0 type veth peer name x1', 'link set x0 master br0'])
      assert.equal(await check(), [])
      assert.equal((await gc({ keep: ['lab/web'] })).removed.endpoints, [])
      await ip(['link delete x0', 'link set tap0 up'])

      await ip(['link set br0 group default'])
      await writeSysctl('net/ipv4/conf/br0/route_localnet', 0)
      await output('nft', ['flush', 'ruleset'])
      assert.ok((await check()).every(({ repairable }) => repairable))
      assert.equal((await network.repair()).remaining, [])
      assert.equal(await check(), [])
      assert.equal(await elementsShown('others6'), ['fd00:50::/121 comment lab'])
      assert.is((await linkShown('br0'))?.group, (await linkShown(endpoint.hostIfname))?.group)
      await network.delete({ force: true })
    }))

  test('is set up by its owner', () =>
    onEstate(async () => {
      await ip(['link add br2 type bridge', 'link set br2 up'])
      const network = await createNetwork({ name: 'lab', bridge: { existing: 'br2' }, subnets: ['10.9.0.0/24'] })
      await ip(['link set br2 down'])
      assert.equal(kindsOf(await check()), ['link-down, not ours'])
      assert.equal(kindsOf((await repair()).remaining), ['link-down, not ours'])
      assert.not.ok((await linkShown('br2'))?.flags.includes('UP'))
      await ip(['link set br2 up'])
      // An address that was added is ours to put back.
      await ip(['address delete 10.9.0.1/24 dev br2'])
      assert.equal(kindsOf((await repair()).repaired), ['address-missing'])
      await network.delete()
      assert.equal(
        (await addressesShown()).filter((line) => line.startsWith('br2')),
        [],
      )
      await ip(['link delete br2'])
    }))

  test('is a network’s no more when the names that tell of it go, and whose it was is told', () =>
    onEstate(async () => {
      await using netns = await createNetns()
      await ip(['link add br0 type bridge', 'link set br0 up', 'address add 10.9.0.5/24 dev br0'], netns)
      await createNetwork({ name: 'lab', bridge, host: netns })
      const [label = ''] = ((await linkShown('br0', netns))?.altnames ?? []).filter((name) => name.includes('=1of1;'))
      await netns.setLink('br0', { deleteAltnames: [label] })
      const failure = (await failureOf(openNetwork('lab', { host: netns }))) as NetworkError
      assert.is(failure.code, 'NETWORK_NOT_FOUND')
      assert.ok(
        failure.message.includes('but its alternative name, which says what the network is, was changed'),
        failure.message,
      )
      assert.equal(kindsOf(await check({ host: netns })), ['alias-lost, not ours'])
      await assertCode('BRIDGE_IN_USE', createNetwork({ name: 'other', bridge, host: netns }))
      await netns.setLink('br0', { addAltnames: [label] })
      assert.equal(await check({ host: netns }), [])
      // The name alone comes back by itself.
      await netns.setLink('br0', { deleteAltnames: ['netlink-ct/lab'] })
      assert.equal(kindsOf((await repair({ host: netns })).repaired), ['name-missing'])
      assert.is((await openNetwork('lab', { host: netns })).bridge, 'br0')
    }))

  test('keeps its connections with others when gc forgets those of the dead', () =>
    onEstate(async (estate) => {
      const network = await join()
      const server = await estate.lab.serve({ netns: 'vm', name: 'vm', udp: 53 })
      assert.is((await askUdp('192.168.50.20', 53))?.server, 'vm')
      const tracked = async (): Promise<boolean> =>
        (await output('conntrack', ['-L', '-d', '192.168.50.20'])).includes('dport=53')
      assert.ok(await tracked())
      assert.is((await gc()).removed.connections, 0)
      assert.ok(await tracked())
      await server.stop()
      await network.delete()
    }))

  test('ends a watch when the network goes, which the bridge does not', () =>
    onEstate(async () => {
      const network = await join()
      await network.attach({ name: 'web' })
      const seen: string[] = []
      const watched = (async () => {
        for await (const event of network.watch()) {
          seen.push(event.type)
          if (event.type === 'synced') await network.delete({ force: true })
        }
      })()
      await watched
      assert.equal(seen, ['attached', 'synced', 'detached'])
      await assertCode('NETWORK_NOT_FOUND', network.watch().next())
    }))

  test.run()
}
