// The verbs about containers of a network.

import type { AttachedEndpoint, LanNetwork, Network } from '../../../../lib/index.ts'
import type { Row } from '../cell.ts'
import type { World } from '../world.ts'
import { rowOf, state } from './row.ts'
import { attach, drivers, lab, make, type TestedDriver } from './states.ts'

interface Town {
  readonly network: Network
  readonly web: AttachedEndpoint
}

/** A command, or what no command can do. */
type Ruin = (town: Town) => string | ((world: World) => Promise<unknown>)
type Half = readonly [given: string, commands: Ruin]

function rowsOf(driver: TestedDriver): Row[] {
  const hasPorts = driver !== 'macvlan'
  const spec = { name: 'web', ...(hasPorts ? { publish: ['8080:80'] } : {}) }
  const empty = (world: World): Promise<Network> => lab(world, driver)
  const town = async (world: World): Promise<Town> => {
    const network = await empty(world)
    return { network, web: await attach(world, network, spec) }
  }
  const network = async (world: World): Promise<Network> => (await town(world)).network
  const networkThen =
    (commands: Ruin) =>
    async (world: World): Promise<Network> =>
      (await townThen(commands)(world)).network
  const townThen =
    (commands: Ruin) =>
    async (world: World): Promise<Town> => {
      const made = await town(world)
      const done = commands(made)
      if (typeof done === 'string') await world.shell(done)
      else await done(world)
      return made
    }
  const elsewhere = async (world: World): Promise<Network> => {
    const made = await empty(world)
    await attach(world, await make(world, driver, { name: 'other', subnets: ['10.8.0.0/24'] }), { name: 'web' })
    return made
  }
  const row = rowOf(driver)
  const hostEnd = ({ web }: Town): string => web.hostIfname
  const leaseOnly: readonly Half[] = [
    ['the link deleted, its lease left', ({ web }) => `nsenter --net=${web.netns.path} ip link delete eth0`],
  ]
  const halfPublished: readonly Half[] = [
    ['the link deleted, its elements left', (made) => `ip link delete ${hostEnd(made)}`],
    ['the host end without its alias', (made) => `ip link set ${hostEnd(made)} alias ''`],
    [
      'the host end without its name',
      (made) =>
        ({ ns }) =>
          ns.setLink(hostEnd(made), { deleteAltnames: ['netlink-ct/lab/web'] }),
    ],
    ['the port deleted from the firewall', () => "nft delete element inet netlink-ct ports4 '{ tcp . 8080 }'"],
  ]
  /** How a container is half there; those of a wire have no end on the host. */
  const halves: readonly Half[] = [
    ['the ruleset flushed', () => 'nft flush ruleset'],
    ['the device of the network deleted', () => 'ip link delete br-lab'],
    ...(hasPorts ? halfPublished : leaseOnly),
  ]
  const halfNetworks = halves.map(([given, commands]) => state(given, networkThen(commands)))
  const halfTowns = halves.map(([given, commands]) => state(given, townThen(commands)))
  const both = [{ name: 'db' }, spec]
  const portless = async (world: World): Promise<Town> => {
    const made = await empty(world)
    return { network: made, web: await attach(world, made, { name: 'web' }) }
  }
  const detached = async (world: World): Promise<Town> => {
    const made = await town(world)
    await made.web.detach()
    return made
  }
  return [
    row<Network>('Network.attach', (world, it) => attach(world, it, spec), {
      absent: state('no such endpoint', empty),
      equal: state('the endpoint', network),
      different: state('an endpoint of this name without ports', async (world) => (await portless(world)).network),
      half: halfNetworks,
    }),
    row<Network>(
      'Network.attachMany',
      async (world, it) => {
        const made = await it.attachMany(both)
        for (const endpoint of made) world.keep(endpoint.netns)
        return made
      },
      {
        absent: state('neither', empty),
        equal: state('both', async (world) => {
          const it = await network(world)
          await attach(world, it, { name: 'db' })
          return it
        }),
        different: state('one of this name in another network', elsewhere),
        half: state('one of them', network),
      },
    ),
    row<Network>('Network.endpoint', (_, it) => it.endpoint('web'), {
      absent: state('no such endpoint', empty),
      equal: state('the endpoint', network),
      different: state('one of this name in another network', elsewhere),
      half: halfNetworks,
    }),
    row<Network>('Network.endpoints', (_, it) => it.endpoints(), {
      absent: state('no endpoint', empty),
      equal: state('the endpoint', network),
      different: state('one of another network', elsewhere),
      half: halfNetworks,
    }),
    row<Network>('Network.detach', (_, it) => it.detach('web'), {
      absent: state('no such endpoint', empty),
      equal: state('the endpoint', network),
      different: state('one of this name in another network', elsewhere),
      half: halfNetworks,
    }),
    row<Network>('Network.detachMany', (_, it) => it.detachMany(['web', 'db']), {
      absent: state('neither', empty),
      equal: state('both', async (world) => {
        const it = await network(world)
        await attach(world, it, { name: 'db' })
        return it
      }),
      different: state('one of this name in another network', elsewhere),
      half: [state('one of them', network), ...halfNetworks],
    }),
    row<Network>(
      'Network.watch',
      async (_, it) => {
        const names: string[] = []
        for await (const event of it.watch()) {
          if (event.type === 'synced') break
          if ('endpoint' in event) names.push(event.endpoint.name)
        }
        return names
      },
      {
        absent: state('no endpoint', empty),
        equal: state('the endpoint', network),
        different: state('one of another network', elsewhere),
        half: halfNetworks,
      },
    ),
    row<Town>('Endpoint.detach', (_, { web }) => web.detach(), {
      absent: state('it detached already', detached),
      equal: state('the endpoint', town),
      different: state('another one of its name since', async (world) => {
        const made = await detached(world)
        await attach(world, made.network, spec)
        return made
      }),
      half: halfTowns,
    }),
    row<Town>('Endpoint.publish', (_, { web }) => web.publish('8080:80'), {
      absent: [state('no port', portless), state('it detached already', detached)],
      equal: state('the port', town),
      different: hasPorts
        ? [
            state('the port, to another port of the container', async (world) => {
              const made = await empty(world)
              return { network: made, web: await attach(world, made, { name: 'web', publish: ['8080:81'] }) }
            }),
            state('the port, to another container', async (world) => {
              const made = await portless(world)
              await attach(world, made.network, { name: 'db', publish: ['8080:80'] })
              return made
            }),
          ]
        : 'it has no ports',
      half: halfTowns,
    }),
    row<Town>('Endpoint.unpublish', (_, { web }) => web.unpublish('8080:80'), {
      absent: [state('no port', portless), state('it detached already', detached)],
      equal: state('the port', town),
      different: hasPorts
        ? state('the port, to another port of the container', async (world) => {
            const made = await empty(world)
            return { network: made, web: await attach(world, made, { name: 'web', publish: ['8080:81'] }) }
          })
        : 'it has no ports',
      half: halfTowns,
    }),
    ...(driver === 'macvlan'
      ? [
          row<Network>('LanNetwork.reclaim', (_, it) => (it as LanNetwork).reclaim(), {
            absent: state('no endpoint', empty),
            equal: state('the endpoint', network),
            different: state('one of another network', elsewhere),
            half: halfNetworks,
          }),
        ]
      : []),
  ]
}

export const rows: readonly Row[] = drivers.flatMap(rowsOf)
