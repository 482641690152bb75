// S10: network modes. By hand: docker run --network host, none, bridge, container:web

import { readlink } from 'node:fs/promises'
import * as assert from 'uvu/assert'
import { attachContainer, type Container, openNetwork } from '../../lib/index.ts'
import { output, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipLinks } from '../support/witness.ts'
import { answers, inLab, silence } from './support/scenario.ts'

const test = suite('S10: network modes')

const namespaceOf = async ({ netns }: Container): Promise<string> =>
  (await output('readlink', ['/proc/self/ns/net'], { netns: { path: netns.path } })).trim()
const devicesOf = async ({ netns }: Container): Promise<string[]> => (await ipLinks(netns)).map(({ ifname }) => ifname)

test('host: the namespace of the host', async () => {
  await using web = await attachContainer({ name: 'web', network: 'host' })
  assert.is(`net:[${web.netns.inode}]`, await readlink('/proc/self/ns/net'))
})

test('none: a loopback alone', async () => {
  await inLab(async (lab) => {
    await using web = await attachContainer({ name: 'web', network: 'none' })
    assert.equal(await devicesOf(web), ['lo'])
    assert.ok(await ping('127.0.0.1', { netns: web.netns }))
    assert.not(await ping(lab.internetAddress, { netns: web.netns, within: silence }))
  })
})

test('bridge: a device of its own, a way out, ports of the host', async () => {
  await inLab(async (lab) => {
    const web = await attachContainer({ name: 'web', network: 'bridge', publish: ['8080:80'] })
    assert.equal(await devicesOf(web), ['lo', 'eth0'])
    assert.is(await answers(`http://${lab.internetAddress}/`, web.netns), 'internet')
    await using _ = await lab.serve({ netns: web.netns, name: 'web', http: 80 })
    assert.is(await answers(`http://${lab.hostLanAddress}:8080/`, 'lan'), 'web')
    await web.detach()
    await (await openNetwork('bridge')).delete()
  })
})

test('container: the namespace of the other, with its localhost', async () => {
  await inLab(async (lab) => {
    const web = await attachContainer({ name: 'web', network: 'bridge' })
    const side = await attachContainer({ name: 'side', network: 'container:web' })
    assert.is(await namespaceOf(side), await namespaceOf(web))
    await using _ = await lab.serve({ netns: web.netns, name: 'web', host: '127.0.0.1', http: 80 })
    assert.is(await answers('http://localhost/', side.netns), 'web')
    await side.detach()
    await web.detach()
    await (await openNetwork('bridge')).delete()
  })
})

test.run()
