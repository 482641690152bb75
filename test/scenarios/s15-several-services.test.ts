// S15: several services published to several containers: 8081 to 80, 8082 to 80, 3000 to 3000

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { elementsShown } from '../network/support/witness.ts'
import { suite } from '../support/suite.ts'
import { addressOf, answers, inLab } from './support/scenario.ts'

const test = suite('S15: several services published to several containers')

test('each answers from the right container, also through localhost', async () => {
  await inLab(async (lab) => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const services = { web1: ['8081', '80'], web2: ['8082', '80'], api: ['3000', '3000'] } as const
    const expected: string[] = []
    for (const [name, [hostPort, containerPort]] of Object.entries(services)) {
      const endpoint = await network.attach({ name, publish: [`${hostPort}:${containerPort}`] })
      await lab.serve({ netns: endpoint.netns, name, http: Number(containerPort) })
      expected.push(`tcp . ${hostPort} comment lab/${name} : ${addressOf(endpoint)} . ${containerPort}`)
    }
    for (const [name, [hostPort]] of Object.entries(services)) {
      assert.is(await answers(`http://${lab.hostLanAddress}:${hostPort}/`, 'lan'), name)
      assert.is(await answers(`http://localhost:${hostPort}/`), name)
    }
    assert.equal(await elementsShown('ports4'), expected.sort())
    await network.delete({ force: true })
  })
})

test.run()
