// What processes are killed at that change containers of a network.

import * as assert from 'uvu/assert'
import { type AttachSpec, check, type Endpoint, type Network, repair } from '../../../lib/index.ts'
import { output, run, writeSysctl } from '../../support/lab.ts'
import { until } from '../support/until.ts'
import { elementsShown, linkShown } from '../support/witness.ts'
import type { Scene, Site } from './site.ts'

/** Its addresses have different numbers in the two families, so that one of them is claimed by a name of its own. */
const deadOf = (site: Site) => ({
  name: 'dead',
  addresses: site.addresses(9, 'a:9'),
  publish: ['8080:80', '8080:53/udp'],
})

const othersOf = (site: Site) => ({
  name: 'other',
  addresses: site.addresses(10),
  publish: ['8081:80', '8081:53/udp'],
})

const attached = (site: Site, more: Partial<AttachSpec> = {}): Promise<Endpoint> =>
  site.network.attach({ ...deadOf(site), netns: site.namespaces.box, ...more })

const detachDead = (found: Network): Promise<void> => found.detach('dead')

/** By the ports that they have now, and the client knocks on. */
async function boxServes(site: Site, what: string): Promise<void> {
  const { rest } = await site.knocker.rest(8080)
  assert.equal(
    rest,
    site.doors.map(() => 'box'),
    what,
  )
  await site.knock(8080)
}

async function nothingIsPublished(what: string): Promise<void> {
  const elements = [...(await elementsShown('ports4')), ...(await elementsShown('ports6'))]
  assert.equal(
    elements.filter((line) => line.includes('lab/dead')),
    [],
    what,
  )
}

/** What takes the most steps. */
const demandingOf = (site: Site): AttachSpec => ({
  ...deadOf(site),
  announce: true,
  bandwidth: { egress: '8mbit', ingress: '80mbit' },
  sysctls: { 'net.ipv4.conf.IFNAME.rp_filter': 1, 'net.ipv4.ip_default_ttl': 77 },
  routes: [{ to: site.has(4) ? '198.51.100.0/24' : '2001:db8:5::/48' }],
})

/** Routes that no device has. */
const refusals: AttachSpec['routes'] = [
  { to: '203.0.113.0/24', type: 'blackhole' },
  { to: '2001:db8:f::/48', type: 'unreachable', metric: 9 },
]

/** What somebody else may do to a network. */
async function spoil(site: Site, { hostIfname }: Endpoint): Promise<void> {
  const { bridge, gateways, driver } = site.network
  const [gateway = ''] = gateways
  await output('nft', ['delete', 'table', 'inet', 'netlink-ct'])
  await output('ip', ['-batch', '-'], {
    input: [
      `address delete ${gateway}/${gateway.includes(':') ? 64 : 24} dev ${bridge}`,
      `link set ${hostIfname} down group 7`,
      ...(driver === 'bridge' ? [`link set ${hostIfname} nomaster`] : []),
    ].join('\n'),
  })
  if (site.has(4)) await writeSysctl(`net/ipv4/conf/${bridge}/route_localnet`, 0)
}

export const scenes: Readonly<Record<string, (site: Site) => Scene>> = {
  'an attach that makes the namespace, its address used at once': (site) => ({
    task: { network: 'lab', verb: 'attach', spec: deadOf(site) },
    steps: 7,
    dead: [deadOf(site)],
    isCollected: false,
  }),

  'an attach that makes the namespace': (site) => ({
    task: { network: 'lab', verb: 'attach', spec: deadOf(site) },
    steps: 7,
    dead: [deadOf(site)],
  }),

  'an attach in the place of a dead one, which a third then takes': (site) => ({
    task: { network: 'lab', verb: 'attach', spec: { name: 'second', addresses: deadOf(site).addresses } },
    steps: 8,
    dead: [deadOf(site)],
    before: async () => {
      await site.victims.killedWhenDone({ network: 'lab', verb: 'attach', spec: deadOf(site) })
      await until('its device is gone', async () => (await linkShown('netlink-ct/lab/dead')) === undefined)
    },
    isCollected: false,
  }),

  'an attach into a namespace that lives on': (site) => ({
    task: { network: 'lab', verb: 'attach', spec: { ...deadOf(site), netns: 'box' } },
    steps: 7,
    dead: [deadOf(site)],
  }),

  'an attach with limits, settings and routes, which then succeeds': (site) => ({
    task: { network: 'lab', verb: 'attach', spec: { ...demandingOf(site), netns: 'box' } },
    steps: 14,
    dead: [deadOf(site)],
    after: async (found) => {
      await found.detach('dead')
      await (await found.attach({ ...demandingOf(site), netns: site.namespaces.box })).detach()
      await writeSysctl('net.ipv4.ip_default_ttl', 64, 'box')
    },
  }),

  // They are no device's, so that they stay until somebody deletes them, unless the object that attached does.
  'an attach with routes that refuse, which succeeds once those are deleted': (site) => ({
    task: { network: 'lab', verb: 'attach', spec: { ...deadOf(site), netns: 'box', routes: refusals } },
    steps: 7,
    dead: [deadOf(site)],
    after: async (found) => {
      await found.detach('dead')
      for (const [version, type] of [
        ['-4', 'blackhole'],
        ['-6', 'unreachable'],
      ] as const)
        await run('ip', [version, 'route', 'flush', 'type', type], { netns: 'box' })
      await (await found.attach({ ...deadOf(site), netns: site.namespaces.box, routes: refusals })).detach()
    },
  }),

  'an attach of several': (site) => ({
    task: { network: 'lab', verb: 'attachMany', specs: [deadOf(site), othersOf(site)] },
    steps: 14,
    dead: [deadOf(site), othersOf(site)],
  }),

  'a publish, which then succeeds': (site) => ({
    task: { network: 'lab', verb: 'publish', endpoint: 'dead', ports: deadOf(site).publish },
    steps: 3,
    dead: [deadOf(site)],
    before: () => attached(site, { publish: [] }),
    after: async (found, what) => {
      await (await found.endpoint('dead')).publish(deadOf(site).publish)
      await boxServes(site, what)
      await found.detach('dead')
    },
  }),

  'an unpublish, which then succeeds': (site) => ({
    task: { network: 'lab', verb: 'unpublish', endpoint: 'dead', ports: deadOf(site).publish },
    steps: 3,
    dead: [deadOf(site)],
    before: () => attached(site),
    after: async (found, what) => {
      await (await found.endpoint('dead')).unpublish(deadOf(site).publish)
      await nothingIsPublished(what)
      await found.detach('dead')
    },
  }),

  'an unpublish, its container detached next': (site) => ({
    task: { network: 'lab', verb: 'unpublish', endpoint: 'dead', ports: deadOf(site).publish.slice(0, 1) },
    steps: 2,
    dead: [deadOf(site)],
    before: () => attached(site),
    after: detachDead,
    isCollected: false,
  }),

  'a detach, done again next': (site) => ({
    task: { network: 'lab', verb: 'detach', endpoint: 'dead' },
    steps: 4,
    dead: [deadOf(site)],
    before: () => attached(site),
    after: detachDead,
    isCollected: false,
  }),

  'a detach of a container that lives no longer, its address used at once': (site) => ({
    task: { network: 'lab', verb: 'leave', spec: deadOf(site) },
    steps: 5,
    dead: [deadOf(site)],
    isCollected: false,
  }),

  'an unpublish of a container that lives no longer, its address used at once': (site) => ({
    task: { network: 'lab', verb: 'withdraw', spec: deadOf(site) },
    steps: 4,
    dead: [deadOf(site)],
    isCollected: false,
  }),

  'a detach of a container with limits, collected next': (site) => ({
    task: { network: 'lab', verb: 'detach', endpoint: 'dead' },
    steps: 4,
    dead: [deadOf(site)],
    before: () => attached(site, { bandwidth: { egress: '8mbit', ingress: '80mbit' } }),
  }),

  'a detach of several': (site) => ({
    task: { network: 'lab', verb: 'detachMany', names: ['dead', 'other'] },
    steps: 5,
    dead: [deadOf(site), othersOf(site)],
    before: async () => {
      await attached(site)
      await site.network.attach({ ...othersOf(site), netns: site.namespaces.box2 })
    },
    after: (found) => found.detachMany(['dead', 'other']),
  }),

  'a repair of a flushed firewall and of devices that were changed, which then succeeds': (site) => ({
    task: { verb: 'repair' },
    steps: 5,
    dead: [deadOf(site)],
    before: async () => spoil(site, await attached(site)),
    after: async (found, what) => {
      await repair()
      assert.equal(await check(), [], what)
      await boxServes(site, what)
      await found.detach('dead')
    },
  }),
}
