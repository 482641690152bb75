// What a network on a wire cannot be, and its endpoints cannot have.

import * as assert from 'uvu/assert'
import { createNetwork, type LanNetworkSpec } from '../../../lib/index.ts'
import { failureOf } from '../../support/failure.ts'
import { createLab } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { leavesNothing, spec, withNetwork } from '../support/lan.ts'
import { sweep } from '../support/sweep.ts'

const test = suite('options of a network on a wire')
const bad: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ parent: 7 }, /parent must be a string/],
  [{ parent: 'a/b' }, /parent must be an interface name/],
  [{ subnets: undefined }, /subnets must be those of the LAN/],
  [{ subnets: ['192.0.2.1/24'] }, /subnets\[0\] has bits behind its prefix/],
  [{ mode: 'brigde' }, /mode: 'brigde' is unknown; did you mean 'bridge'\?/],
  [{ driver: 'ipvlan', mode: 'bridge' }, /mode: 'bridge' is unknown; known: l2, l3, l3s/],
  [{ driver: 'ipvlan', mode: 'l3' }, /gateways makes no sense for ipvlan in the mode l3/],
  [{ driver: 'macvaln' }, /did you mean 'macvlan'\?/],
  [{ driver: 'bridge' }, /parent is for the drivers macvlan and ipvlan/],
  [{ gateways: ['10.0.0.1'] }, /gateways\[0\] must be a host address of 192.0.2.0\/24/],
  [{ internal: true }, /gateways makes no sense for an internal network/],
  [{ icc: false }, /icc \(driver macvlan\) .*the mode decides/],
  [{ masquerade: true }, /masquerade \(driver macvlan\) makes no sense on the LAN/],
  [{ gatewayMode: 'routed' }, /gatewayMode \(driver macvlan\) makes no sense on the LAN/],
  [{ trusted: ['wg0'] }, /trusted \(driver macvlan\) is for networks that the host forwards/],
  [{ addressPools: [] }, /addressPools \(driver macvlan\)/],
  [{ ipv6: true }, /ipv6 \(driver macvlan\) is said by the subnets/],
  [{ parnet: 'eth0' }, /'parnet' is unknown; did you mean 'parent'\?/],
  [{ isolation: 'private' }, /isolation is for the driver ipvlan/],
  [{ driver: 'ipvlan', broadcastQueue: 7 }, /broadcastQueue is for the driver macvlan/],
  [{ driver: 'ipvlan', isolation: 'privat' }, /isolation: 'privat' is unknown; did you mean 'private'\?/],
  [{ broadcastQueue: -1 }, /broadcastQueue must be from 0 to 4294967295, got -1/],
  [{ broadcastCutoff: -2 }, /broadcastCutoff must be from -1 to 2147483647, got -2/],
  [{ promiscuous: false }, /promiscuous can be false in the mode passthru only/],
  [{ mode: 'passthru', promiscuous: 'no' }, /promiscuous must be a boolean/],
  [{ mtu: 1 }, /mtu/],
  [{ reserved: ['10.0.0.0/24'] }, /reserved\[0\] lies outside of 192.0.2.0\/24/],
]
for (const [options, message] of bad) {
  test(`${JSON.stringify(options)} are refused before anything is done`, async () => {
    const failure = await leavesNothing(() => createNetwork({ ...spec, ...options } as LanNetworkSpec))
    assert.match(failure.code ?? '', /^ERR_/)
    assert.match(failure.message, message)
  })
}

test('that an endpoint cannot have are refused', async () => {
  const lan = await createLab()
  try {
    await withNetwork({}, async (network) => {
      const publish = await leavesNothing(() => network.attach({ name: 'web', publish: ['80:80'] }))
      assert.match(publish.message, /publish makes no sense with the driver macvlan: the LAN reaches the container itself/)
      assert.is(publish.code, 'ERR_INVALID_ARG_VALUE')
      const gateway = await leavesNothing(() => network.attach({ name: 'web', addresses: ['192.0.2.9/24'] }))
      assert.match(gateway.message, /is the network's gateway/)
      const web = await network.attach({ name: 'web' })
      assert.match((await failureOf(web.publish('80:80'))).message, /none: with the driver macvlan the LAN reaches/)
    })
  } finally {
    await lan[Symbol.asyncDispose]()
    await sweep()
  }
})

test.run()
