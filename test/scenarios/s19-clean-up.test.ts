// S19: clean up. By hand: ip netns delete …; ip link delete br0; iptables -F, which takes everybody's rules along

import * as assert from 'uvu/assert'
import { createNetwork, deny, gc } from '../../lib/index.ts'
import { changes } from '../network/support/changes.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { inLab } from './support/scenario.ts'

const test = suite('S19: clean up')

test('all that the library made is gone, and what others made is as it was', async () => {
  await inLab(async () => {
    await output('ip', ['-batch', '-'], { input: 'link add br-mine type bridge\naddress add 172.30.0.1/16 dev br-mine' })
    await output('nft', ['-f', '-'], {
      input: 'table ip filter { chain FORWARD { type filter hook forward priority 0; ip saddr 192.0.2.66 drop; }; }',
    })
    const before = await kernelState()
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16', 'fd00::/64'] })
    await network.attach({ name: 'web', publish: ['8080:80', '5353:53/udp'], bandwidth: { egress: '10mbit' } })
    await network.attach({ name: 'app' })
    await deny({ from: 'lab/app', to: 'lab/web' })
    const made = changes(before, await kernelState())
    assert.ok(made.some((line) => line.startsWith('/links/br0')) && made.some((line) => line.startsWith('/ruleset')))

    await network.delete({ force: true })
    assert.equal(changes(before, await kernelState()), [])
    assert.equal((await gc()).removed.endpoints, [])
    assert.equal(changes(before, await kernelState()), [], 'nor had gc anything to take away')
    await output('ip', ['link', 'delete', 'br-mine'])
    await output('nft', ['delete', 'table', 'ip', 'filter'])
  })
})

test.run()
