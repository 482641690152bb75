// S8: deny by default. By hand: Docker's FORWARD policy DROP with its chains DOCKER and DOCKER-ISOLATION

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { addressOf, answers, inLab, silence } from './support/scenario.ts'

const test = suite('S8: deny by default')

test('the outside reaches no port that was not published, with a route or without', async () => {
  await inLab(async (lab) => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const web = await network.attach({ name: 'web' })
    const url = `http://${addressOf(web)}/`
    await using _ = await lab.serve({ netns: web.netns, name: 'web', http: 80 })
    assert.is(await answers(url), 'web', 'the host does')
    assert.is(await answers(url, 'lan', silence), undefined)
    await lab.routeFromLan('172.18.0.0/16')
    assert.is(await answers(url, 'lan', silence), undefined, 'with a route')
    assert.not(await ping(addressOf(web), { netns: 'lan', within: silence }))
    assert.is(await answers(`http://${lab.hostLanAddress}/`, 'lan', silence), undefined)
    await network.delete({ force: true })
  })
})

test('two networks do not reach each other', async () => {
  await inLab(async (lab) => {
    const red = await createNetwork({ name: 'red', subnets: ['172.18.0.0/16'] })
    const blue = await createNetwork({ name: 'blue', subnets: ['172.19.0.0/16'] })
    const [one, other] = [await red.attach({ name: 'web' }), await blue.attach({ name: 'web' })]
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      await using _ = await lab.serve({ netns: to.netns, name: 'web', http: 80 })
      assert.is(await answers(`http://${addressOf(to)}/`), 'web', 'the host does')
      assert.is(await answers(`http://${addressOf(to)}/`, from.netns, silence), undefined)
      assert.not(await ping(addressOf(to), { netns: from.netns, within: silence }))
    }
    await red.delete({ force: true })
    await blue.delete({ force: true })
  })
})

test.run()
