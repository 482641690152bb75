// S9: publish a port. By hand: iptables -t nat -A PREROUTING … -j DNAT; iptables -t nat -A OUTPUT … -j DNAT; modprobe br_netfilter

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { suite } from '../support/suite.ts'
import { addressOf, answers, inLab, withBridgeNetfilter } from './support/scenario.ts'

const test = suite('S9: publish a port')

for (const setting of [0, 1] as const) {
  test(`it is reached from everywhere, with bridge-nf-call-iptables=${setting}`, async () => {
    await withBridgeNetfilter(setting, () =>
      inLab(async (lab) => {
        const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
        const other = await createNetwork({ name: 'other', subnets: ['172.19.0.0/16'] })
        const web = await network.attach({ name: 'web', publish: ['8080:80'] })
        const neighbor = await network.attach({ name: 'neighbor' })
        const stranger = await other.attach({ name: 'stranger' })
        await using _ = await lab.serve({ netns: web.netns, name: addressOf(web), http: 80 })
        const published = `http://${lab.hostLanAddress}:8080/`
        assert.is(await answers(published, 'lan'), addressOf(web), 'from the LAN')
        assert.is(await answers(published), addressOf(web), 'from the host by its address')
        assert.is(await answers('http://localhost:8080/'), addressOf(web), 'from the host by localhost')
        assert.is(await answers(published, web.netns), addressOf(web), 'from the container itself')
        assert.is(await answers(published, neighbor.netns), addressOf(web), 'from its neighbor')
        assert.is(await answers(published, stranger.netns), addressOf(web), 'from another network')
        await network.delete({ force: true })
        await other.delete({ force: true })
      }),
    )
  })
}

test.run()
