// S4: two containers, host addresses in one subnet. By hand: the second ip addr add 172.18.0.21/16 dev veth1

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import * as assert from 'uvu/assert'
import { addAddress, createNetns, createVethPair, deleteLink, host, type NetlinkWarning } from '../../lib/index.ts'
import { json, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { inLab, silence } from './support/scenario.ts'

const test = suite('S4: two containers, host addresses in one subnet')

test('the second address is warned of by the name of the first device, and the second container is not reached', async () => {
  await inLab(async () => {
    await using netns0 = await createNetns()
    await using netns1 = await createNetns()
    const heard: NetlinkWarning[] = []
    const listener = (message: unknown): void => void heard.push(message as NetlinkWarning)
    subscribe('netlink-ct:warning', listener)
    const containers = [
      { netns: netns0, name: 'veth0', peer: 'ceth0', host: '172.18.0.11/16', inside: '172.18.0.10/16' },
      { netns: netns1, name: 'veth1', peer: 'ceth1', host: '172.18.0.21/16', inside: '172.18.0.20/16' },
    ]
    for (const { netns, name, peer, host, inside } of containers) {
      await createVethPair({ name, up: true, peer: { netns, name: peer, addresses: [inside], up: true } })
      await addAddress(name, host)
    }
    unsubscribe('netlink-ct:warning', listener)
    const [{ message = '', ...warning } = {}, ...others] = heard
    assert.equal(warning, { source: 'library', operation: 'add the address 172.18.0.21/16 on veth1', netns: host.inode })
    assert.match(message, /^172\.18\.0\.0\/16 is routed through veth0 already: /)
    assert.equal(others, [])
    const routes = await json<{ dst: string; dev: string }[]>('ip', ['route', 'show', '172.18.0.0/16'])
    assert.equal(
      routes.map(({ dev }) => dev),
      ['veth0', 'veth1'],
    )
    const [way] = await json<{ dev: string }[]>('ip', ['route', 'get', '172.18.0.20'])
    assert.is(way?.dev, 'veth0', 'the way to the container of veth1')
    assert.ok(await ping('172.18.0.10'))
    assert.not(await ping('172.18.0.20', { within: silence }))
    await deleteLink('veth0')
    assert.ok(await ping('172.18.0.20'), 'it is the route alone')
    await deleteLink('veth1')
  })
})

test.run()
