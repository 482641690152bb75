// Processes killed while they change containers: the containers of others serve on, what the dead process left is taken back, and whoever
// gets a dead container's address never answers at its ports.
//
// A step is a system call that changes something; the process is killed as it enters it, so that all steps before are done and no more.
// What the library sends is done when the call returns, so these are all states that a process can leave but for a death in the middle
// of a call: for those the random instants.

import * as assert from 'uvu/assert'
import { gc, openNetwork } from '../../../lib/index.ts'
import { output } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { settle } from '../matrix/resident.ts'
import { until } from '../support/until.ts'
import { isFull, noStrace, pick, random, randomInstants, seed } from './extent.ts'
import { scenes } from './scenes.ts'
import { type Families, Site } from './site.ts'
import type { Lane, Task } from './victims.ts'

/** Of drivers and families that are not tried in full. */
const chosenSteps = 4

async function atRandomInstants(site: Site, count: number): Promise<void> {
  const lanes: readonly Lane[] = [
    { addresses: site.addresses(9, 'a:9'), port: 8080 },
    { addresses: site.addresses(10), port: 8081, netns: 'box' },
  ]
  const task: Task = { network: 'lab', verb: 'churn', lanes }
  for (let at = 0; at < count; at++) {
    const milliseconds = random() * 60
    const what = `seed ${seed}, kill ${at} after ${milliseconds.toFixed(1)} ms`
    await site.knock(...lanes.map(({ port }) => port))
    await site.victims.killedAfter(task, milliseconds)
    const found = await openNetwork('lab')
    // By turns, so that also what nobody collected is inherited.
    if (at % 2 === 0) await gc({ keep: ['lab/keeper'] })
    else await found.detach('lane1')
    const heirs = ['heir', 'heir2'] as const
    const releases = await Promise.all(lanes.map(({ addresses }, lane) => site.inherit(found, addresses, heirs[lane])))
    await site.serves(what)
    await Promise.all(releases.map((release) => release()))
    await gc({ keep: ['lab/keeper'] })
    if (at % 10 === 9 || at === count - 1) await site.equalsAlone(what)
    if (at % 100 === 99) console.log(`${at + 1} random instants`)
  }
}

async function keepWaiting(site: Site): Promise<void> {
  const { network, namespaces, lab } = site
  const addresses = ['10.9.0.9/24']
  const dead = await network.attach({ name: 'dead', netns: namespaces.box, addresses, publish: ['8080:80'] })
  await output('nft', ['-f', '-'], {
    netns: 'box',
    input: 'table ip mute { chain input { type filter hook input priority 0; policy drop; }; }',
  })
  await using client = await settle('lan', lab.lan)
  const asked = client.ask({ protocol: 'tcp', address: lab.hostLanAddress, port: 8080 }, 20_000)
  const waits = async (): Promise<boolean> =>
    (await output('conntrack', ['-L', '-p', 'tcp', '--dport', '8080'])).includes('SYN_SENT')
  await until('the client waits', waits)
  await dead.detach()
  const release = await site.inherit(network, addresses)
  assert.is(await asked, undefined)
  await release()
  await output('nft', ['delete', 'table', 'ip', 'mute'], { netns: 'box' })
}

function describe(driver: 'bridge' | 'ptp', families: Families): void {
  const test = suite(`a process that changes containers is killed (${driver}, ${families})`, {
    limit: 600_000 + 4_000 * randomInstants,
  })
  const isUsual = driver === 'bridge' && families === 'IPv4'
  let site: Site
  test.before(async () => {
    if (noStrace) return
    site = await Site.create(driver, families)
    await site.settle()
  })
  test.after(async () => {
    if (!noStrace) await site[Symbol.asyncDispose]()
  })
  test.after.each(async () => {
    if (!noStrace) await site.clear()
  })

  if (isFull || isUsual) {
    for (const [name, scene] of Object.entries(scenes))
      test.skipIf(noStrace, `at every step of ${name}`, () => site.atEveryStep(name, scene(site)))
    const count = isUsual ? randomInstants : Math.ceil(randomInstants / 5)
    test.skipIf(noStrace, `at ${count} random instants that the seed ${seed} chooses`, () => atRandomInstants(site, count))
  } else {
    test.skipIf(noStrace, `at ${chosenSteps} steps that the seed ${seed} chooses`, async () => {
      for (let at = 0; at < chosenSteps; at++) await site.atOneStep(pick(Object.values(scenes))(site))
    })
  }
  if (isUsual)
    test.skipIf(noStrace, 'and a client that waits for a container while it is detached does not reach the next one', () =>
      keepWaiting(site),
    )
  test.run()
}

const both = 'IPv4 and IPv6'
for (const driver of ['bridge', 'ptp'] as const)
  for (const families of ['IPv4', both, 'IPv6'] as const) describe(driver, families)
