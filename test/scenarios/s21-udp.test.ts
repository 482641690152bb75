// S21: port mapping, TCP and UDP, added and removed at run time. By hand: iptables -t nat -A PREROUTING -p udp --dport 5353 -j DNAT …

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { udpClient } from '../network/support/udp-client.ts'
import { elementsShown } from '../network/support/witness.ts'
import { askUdp } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { answers, inLab, silence } from './support/scenario.ts'

const test = suite('S21: port mapping, TCP and UDP, added and removed at run time')

test('ports come and go while the container runs', async () => {
  await inLab(async (lab) => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const web = await network.attach({ name: 'web' })
    await lab.serve({ netns: web.netns, name: 'web', http: 80, udp: 53 })
    const http = (within?: number): Promise<string | undefined> => answers(`http://${lab.hostLanAddress}:8080/`, 'lan', within)
    const udp = async (within: number): Promise<string | undefined> =>
      (await askUdp(lab.hostLanAddress, 5353, { netns: 'lan', within }))?.server
    assert.equal([await http(silence), await udp(silence)], [undefined, undefined])
    await web.publish(['8080:80', '5353:53/udp'])
    assert.equal([await http(), await udp(5000)], ['web', 'web'])
    assert.is((await elementsShown('ports4')).length, 2)
    await web.unpublish(['8080:80', '5353:53/udp'])
    assert.equal([await http(silence), await udp(silence)], [undefined, undefined])
    assert.equal(await elementsShown('ports4'), [])
    await network.delete({ force: true })
  })
})

test('a client that goes on sending from its port reaches the container that replaced another', async () => {
  await inLab(async (lab) => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    await using client = udpClient(lab.hostLanAddress, 5353, 'lan')
    for (const name of ['first', 'second']) {
      const container = await network.attach({ name, publish: ['5353:53/udp'] })
      await using _ = await lab.serve({ netns: container.netns, name, udp: 53 })
      assert.is(await client.ask(), name)
      await container.detach()
    }
    await network.delete({ force: true })
  })
})

test.run()
