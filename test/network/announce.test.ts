// What the wire hears of a container that comes, frame by frame, with each driver.

import * as assert from 'uvu/assert'
import { createNetwork, type Endpoint, type LanNetworkSpec, type NetworkSpec } from '../../lib/index.ts'
import { createLab, type Lab, type NetnsRef, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { listenIn } from './support/announcements.ts'
import { sweep } from './support/sweep.ts'

const subnets = ['10.9.0.0/24', 'fd00:9::/64']
const drivers: readonly {
  readonly spec: NetworkSpec | LanNetworkSpec
  readonly ear: NetnsRef | undefined
  readonly isDefault: boolean
}[] = [
  { spec: { name: 'lab', driver: 'bridge', subnets }, ear: undefined, isDefault: false },
  { spec: { name: 'lab', driver: 'ptp', subnets }, ear: undefined, isDefault: false },
  { spec: { name: 'lab', driver: 'macvlan', parent: 'lan0', subnets }, ear: 'lan', isDefault: true },
]

let lab: Lab
const test = suite('a container that comes')
test.before(async () => {
  lab = await createLab()
  await output('ip', ['netns', 'add', 'box'])
})
test.after(async () => {
  await output('ip', ['netns', 'delete', 'box'])
  await lab[Symbol.asyncDispose]()
  await sweep()
})

const told = ({ addresses, mac }: Endpoint): string[] => addresses.map((address) => `${address.split('/')[0]} is at ${mac}`)

for (const { spec, ear, isDefault } of drivers) {
  for (const netns of [undefined, 'box']) {
    test(`is announced by ARP and neighbor advertisement with the driver ${spec.driver}, in ${netns === undefined ? 'a new namespace' : 'one that is there'}, if asked for`, async () => {
      const network = await createNetwork(spec)
      await using announcements = await listenIn(ear)
      const silent = await network.attach({ name: 'silent', announce: false, ...(netns && { netns }) })
      await silent.detach()
      const web = await network.attach({ name: 'web', ...(isDefault ? {} : { announce: true }), ...(netns && { netns }) })
      await announcements.includes(...told(web))
      assert.equal(
        announcements.heard.filter((line) => told(silent).includes(line)),
        [],
        'silent',
      )
      await network.delete({ force: true })
    })
  }
}

test('is announced on a wire each time, of many at once', async () => {
  const network = await createNetwork({ name: 'lab', driver: 'macvlan', parent: 'lan0', subnets })
  await using announcements = await listenIn('lan')
  const all = await network.attachMany(Array.from({ length: 24 }, (_, at) => ({ name: `c${at}` })))
  await announcements.includes(...all.flatMap(told))
  await network.delete({ force: true })
})

test.run()
