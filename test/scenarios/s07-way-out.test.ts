// S7: out to the world. By hand: echo 1 > ip_forward; iptables -t nat -A POSTROUTING -s 172.18.0.0/16 ! -o br0 -j MASQUERADE

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { curl, output, readSysctl, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { addressOf, inLab } from './support/scenario.ts'

const test = suite('S7: out to the world')

test('the outside sees the address of the host, not that of the container', async () => {
  await inLab(async (lab) => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const web = await network.attach({ name: 'web' })
    const { answer } = await curl(`http://${lab.internetAddress}/`, { netns: web.netns })
    assert.equal([answer?.server, answer?.peer], ['internet', lab.hostWanAddress])
    const flows = await output('conntrack', ['-L', '-p', 'tcp', '--orig-src', addressOf(web)])
    assert.match(flows, new RegExp(`src=${addressOf(web)} dst=${lab.internetAddress} .*dst=${lab.hostWanAddress} `))
    await network.delete({ force: true })
  })
})

test('forwarding is on only while a network needs it', async () => {
  await inLab(async () => {
    const forwarding = (): Promise<string> => readSysctl('net.ipv4.ip_forward')
    const inner = await createNetwork({ name: 'inner', subnets: ['172.19.0.0/16'], internal: true })
    assert.is(await forwarding(), '0')
    await inner.delete()
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    assert.is(await forwarding(), '1')
    await network.delete()
    assert.is(await forwarding(), '0')
  })
})

test('a host that listens to IPv6 routers goes on listening though it forwards', async () => {
  await inLab(async () => {
    const key = 'net.ipv6.conf.wan0.accept_ra'
    await writeSysctl(key, 1)
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16', 'fd00::/64'] })
    assert.is(await readSysctl('net.ipv6.conf.all.forwarding'), '1')
    assert.is(await readSysctl(key), '2', '1 would mean: unless forwarding')
    await network.delete()
    assert.is(await readSysctl(key), '1')
  })
})

test.run()
