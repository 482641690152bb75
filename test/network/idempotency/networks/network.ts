// The verbs about networks.

import {
  check,
  diagnose,
  exposedPorts,
  gc,
  keepRepaired,
  listNetworks,
  type Network,
  openNetwork,
  repair,
} from '../../../../lib/index.ts'
import type { Row } from '../cell.ts'
import type { World } from '../world.ts'
import { type Given, rowOf, state } from './row.ts'
import { attach, drivers, ground, lab, make, type TestedDriver } from './states.ts'

type State = (world: World) => Promise<Network>

function rowsOf(driver: TestedDriver): Row[] {
  const bare = async (world: World): Promise<undefined> => void (await world.shell(ground[driver]))
  const there: State = (world) => lab(world, driver)
  const then =
    (commands: string): State =>
    async (world) => {
      const network = await there(world)
      await world.shell(commands)
      return network
    }
  const withWeb: State = async (world) => {
    const network = await there(world)
    await attach(world, network, { name: 'web', ...(driver === 'macvlan' ? {} : { publish: ['8080:80'] }) })
    return network
  }
  const webThen =
    (commands: string): State =>
    async (world) => {
      const network = await withWeb(world)
      await world.shell(commands)
      return network
    }
  const gone: State = async (world) => {
    const network = await there(world)
    await network.delete()
    return network
  }
  const row = rowOf(driver)
  const flushed = then('nft flush ruleset')
  const bridgeless = then('ip link delete br-lab')
  // ip(8) takes no name with a slash.
  const nameless: State = async (world) => {
    const network = await there(world)
    await world.ns.setLink('br-lab', { deleteAltnames: ['netlink-ct/lab'] })
    return network
  }
  const mute = then("ip link set br-lab alias ''")
  const other: State = (world) => lab(world, driver, { subnets: ['10.8.0.0/24'] })
  const foreign = async (world: World): Promise<undefined> =>
    void (await world.shell(`${ground[driver]}; ip link add br-lab type bridge`))
  const halves: Given<Network>[] = [
    state('the ruleset flushed', flushed),
    state('the device deleted, its elements left', bridgeless),
    state('the device without its name', nameless),
    state('the device without its alias', mute),
  ]
  return [
    row('createNetwork', (world) => make(world, driver), {
      absent: state('no network', bare),
      equal: state('the network', there),
      different: [state('the network with another subnet', other), state('a device of its name', foreign)],
      half: halves,
    }),
    row('openNetwork', (world) => openNetwork('lab', { host: world.ns }), {
      absent: state('no network', bare),
      equal: state('the network', there),
      different: state('a device of its name', foreign),
      half: halves,
    }),
    row('listNetworks', (world) => listNetworks({ host: world.ns }), {
      absent: state('no network', bare),
      equal: state('the network', there),
      different: state('a device of its name', foreign),
      half: halves,
    }),
    row<Network>('Network.delete', (_, network) => network.delete(), {
      absent: state('it deleted already', gone),
      equal: state('the network', there),
      different: state('the network with an endpoint', withWeb),
      half: [...halves, state<Network>('an endpoint, and force', withWeb, (_, network) => network.delete({ force: true }))],
    }),
    row('check', (world) => check({ host: world.ns }), {
      absent: state('no network', bare),
      equal: state('the network', there),
      different: state('a device of its name', foreign),
      half: halves,
    }),
    row('repair', (world) => repair({ host: world.ns }), {
      absent: state('no network', bare),
      equal: state('the network', there),
      different: state('a device of its name', foreign),
      half: halves,
    }),
    row<Network>('Network.check', (_, network) => network.check(), {
      absent: state('it deleted already', gone),
      equal: state('the network', there),
      different: state('another network without its device', async (world) => {
        const network = await there(world)
        await make(world, driver, { name: 'other', subnets: ['10.8.0.0/24'] })
        await world.shell('ip link set br-other down')
        return network
      }),
      half: halves,
    }),
    row<Network>('Network.repair', (_, network) => network.repair(), {
      absent: state('it deleted already', gone),
      equal: state('the network', there),
      different: state('another network, whose device is down', async (world) => {
        const network = await there(world)
        await make(world, driver, { name: 'other', subnets: ['10.8.0.0/24'] })
        await world.shell('ip link set br-other down')
        return network
      }),
      half: halves,
    }),
    row(
      'keepRepaired',
      async ({ ns }) => {
        const signal = AbortSignal.timeout(1000)
        for await (const report of keepRepaired({ host: ns, interval: 0, signal })) return report
        return 'nothing to tell'
      },
      {
        absent: state('no network', bare),
        equal: state('the network', there),
        different: state('a device of its name', foreign),
        half: state('the ruleset flushed', flushed),
      },
    ),
    row('gc', async (world) => (await gc({ host: world.ns })).removed, {
      absent: state('no network', bare),
      equal: state('the network with an endpoint', withWeb),
      different: state('a device of its name', foreign),
      half: [...halves, state('the device deleted, a container left', webThen('ip link delete br-lab'))],
    }),
    row('exposedPorts', (world) => exposedPorts({ host: world.ns }), {
      absent: state('no network', bare),
      equal: state('a published port', withWeb),
      different: state('a network without ports', there),
      half: state('the ruleset flushed', webThen('nft flush ruleset')),
    }),
    row<Network>('Network.exposed', (_, network) => network.exposed(), {
      absent: state('it deleted already', gone),
      equal: state('a published port', withWeb),
      different: state('a port of another network', async (world) => {
        const network = await there(world)
        const another = await make(world, driver, { name: 'other', subnets: ['10.8.0.0/24'] })
        await attach(world, another, { name: 'web', ...(driver === 'macvlan' ? {} : { publish: ['8080:80'] }) })
        return network
      }),
      half: state('the ruleset flushed', webThen('nft flush ruleset')),
    }),
    row('diagnose', (world) => diagnose({ host: world.ns }), {
      absent: state('no network', bare),
      equal: state('the network', there),
      different: state(
        'a chain of somebody else that drops',
        then("nft 'table ip f { chain c { type filter hook forward priority 0; policy drop; }; }'"),
      ),
      half: state('forwarding turned off', then('echo 0 > /proc/sys/net/ipv4/ip_forward')),
    }),
  ]
}

export const rows: readonly Row[] = drivers.flatMap(rowsOf)
