// Repairs that go on by themselves, with nft and ip as those who break and who bear witness.

import * as assert from 'uvu/assert'
import { createNetwork, keepRepaired, type RepairReport } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { createLab, curl, type Lab, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { elementsShown, linkShown } from './support/witness.ts'

const test = suite('keepRepaired')

let lab: Lab
test.before(async () => {
  lab = await createLab()
})
test.after(async () => lab[Symbol.asyncDispose]())

test('what is taken away comes back, until the signal ends it', async () => {
  const network = await createNetwork({ name: 'kept', subnets: ['10.61.0.0/24'] })
  const web = await network.attach({ name: 'web', publish: ['8080:80'] })
  await lab.serve({ netns: { path: web.netns.path }, name: 'web', http: 80 })
  const elements = await elementsShown('ports4')
  assert.is(elements.length, 1)

  const controller = new AbortController()
  const reports: RepairReport[] = []
  const kept = (async () => {
    for await (const report of keepRepaired({ signal: controller.signal, interval: 10 })) reports.push(report)
  })()
  const mended = (kind: string): boolean => reports.some(({ repaired }) => repaired.some((one) => one.kind === kind))

  await output('nft', ['flush', 'ruleset'])
  await until('the table is back', async () => mended('table-missing') && (await elementsShown('ports4')).length === 1)
  assert.equal(await elementsShown('ports4'), elements)
  assert.is((await curl('http://192.0.2.1:8080/', { netns: lab.lan })).answer?.server, 'web')

  await output('ip', ['link', 'set', network.bridge, 'down'])
  await until(
    'the bridge is up',
    async () => mended('link-down') && (await linkShown(network.bridge))?.flags.includes('UP') === true,
  )

  controller.abort()
  assert.is(((await failureOf(kept)) as Error).name, 'AbortError')
  await output('nft', ['delete', 'element', 'inet', 'netlink-ct', 'ports4', '{ tcp . 8080 }'])
  await network.delete({ force: true })
})

test('leaving the loop ends it', async () => {
  const network = await createNetwork({ name: 'left', subnets: ['10.62.0.0/24'] })
  await output('ip', ['link', 'set', network.bridge, 'down'])
  for await (const { repaired } of keepRepaired()) {
    assert.equal(
      repaired.map(({ kind }) => kind),
      ['link-down'],
    )
    break
  }
  await network.delete()
})

test('bad options are refused', async () => {
  const next = (options: object): Promise<unknown> => failureOf(keepRepaired(options).next())
  assert.match(((await next({ intervall: 5 })) as Error).message, /did you mean 'interval'/)
  assert.match(((await next({ interval: -1 })) as Error).message, /options.interval must be from 0/)
  assert.match(((await next({ signal: 5 })) as Error).message, /options.signal must be an AbortSignal/)
})

test.run()
