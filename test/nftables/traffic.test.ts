// Real packets through the table, with packets between the ports of a bridge passing the firewall and without.

import * as assert from 'uvu/assert'
import { askUdp, curl, type NetnsRef, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { addressOf, createTown, sendLoopbackOut, type Town } from './support/town.ts'

const TCP = 6
const UDP = 17
const within = 1500

/** Who answered, or the address that it saw, or nothing. */
async function fetched(url: string, netns?: NetnsRef): Promise<string | undefined> {
  const { answer } = await curl(`http://${url}/`, { within, ...(netns !== undefined && { netns }) })
  return answer?.server
}
async function seen(url: string, netns?: NetnsRef): Promise<string | undefined> {
  const { answer } = await curl(`http://${url}/`, { within, ...(netns !== undefined && { netns }) })
  return answer?.peer
}

/** All at once: what must not answer takes its time. */
async function answers(
  cases: readonly (readonly [url: string, from: NetnsRef | undefined, server: string | undefined])[],
): Promise<void> {
  const servers = await Promise.all(cases.map(([url, from]) => fetched(url, from)))
  assert.equal(
    cases.map(([url, from], index) => [url, from, servers[index]]),
    cases.map(([url, from, server]) => [url, from, server]),
  )
}

for (const bridgeNetfilter of [0, 1] as const) {
  const test = suite(`traffic, bridge-nf-call-iptables=${bridgeNetfilter}`)
  let town: Town

  test.before(async () => {
    town = await createTown(bridgeNetfilter)
    const { lab } = town
    await lab.routeFromLan('10.0.0.0/8')
    for (const name of ['a1', 'a2', 'b1', 'n2']) await lab.serve({ netns: name, name, http: 80, udp: 53 })
    await lab.serve({ name: 'host', host: '127.0.0.1', http: 9999 })
    await town.publish({ family: 2, protocol: TCP, hostPort: 8080, containerPort: 80 }, 'a1')
    await town.publish(
      { family: 2, protocol: TCP, hostAddress: Uint8Array.of(127, 0, 0, 1), hostPort: 8081, containerPort: 80 },
      'a1',
    )
    await town.publish(
      { family: 2, protocol: TCP, hostAddress: Uint8Array.of(192, 0, 2, 1), hostPort: 8082, containerPort: 80 },
      'a1',
    )
    await town.publish({ family: 2, protocol: UDP, hostPort: 5353, containerPort: 53 }, 'a1')
    await town.publish({ family: 2, protocol: TCP, hostPort: 8083, containerPort: 80 }, 'n2')
  })
  test.after(async () => {
    await town[Symbol.asyncDispose]()
  })

  test('the host reaches a published port on localhost and on its own addresses', async () => {
    await answers([
      ['127.0.0.1:8080', undefined, 'a1'],
      ['192.0.2.1:8080', undefined, 'a1'],
      ['203.0.113.2:8080', undefined, 'a1'],
    ])
    assert.is((await askUdp('127.0.0.1', 5353))?.server, 'a1')
  })

  test('the LAN reaches a published port, and the container sees who asks', async () => {
    assert.is(await fetched('192.0.2.1:8080', 'lan'), 'a1')
    assert.is(await seen('192.0.2.1:8080', 'lan'), '192.0.2.9')
    assert.is((await askUdp('192.0.2.1', 5353, { netns: 'lan' }))?.server, 'a1')
  })

  test('a port that is published on one address is on no other', async () => {
    await answers([
      ['127.0.0.1:8081', undefined, 'a1'],
      ['192.0.2.1:8081', undefined, undefined],
      ['192.0.2.1:8081', 'lan', undefined],
      ['192.0.2.1:8082', 'lan', 'a1'],
      ['203.0.113.2:8082', undefined, undefined],
      ['127.0.0.1:8082', undefined, undefined],
    ])
  })

  test('a container reaches its own published port', async () => {
    await answers([
      ['10.1.0.1:8080', 'a1', 'a1'],
      ['192.0.2.1:8080', 'a1', 'a1'],
    ])
    assert.is((await askUdp('192.0.2.1', 5353, { netns: 'a1' }))?.server, 'a1')
  })

  test('another container reaches it, of the same network and of another', async () => {
    await answers([
      ['192.0.2.1:8080', 'a2', 'a1'],
      ['10.1.0.1:8080', 'a2', 'a1'],
      ['192.0.2.1:8080', 'b1', 'a1'],
    ])
  })

  test('containers of a network reach each other, and no container of another network', async () => {
    assert.is(await fetched(`${addressOf('a1')}:80`, 'a2'), 'a1')
    assert.is(await seen(`${addressOf('a1')}:80`, 'a2'), addressOf('a2'))
    await answers([
      [`${addressOf('a1')}:80`, 'b1', undefined],
      [`${addressOf('b1')}:80`, 'a1', undefined],
    ])
  })

  test('containers that must not talk to each other do not, but for what is published', async () => {
    await answers([
      [`${addressOf('n2')}:80`, 'n1', undefined],
      ['192.0.2.1:8083', 'lan', 'n2'],
      ['192.0.2.1:8083', 'n1', 'n2'],
    ])
  })

  test('the LAN does not reach a container by its own address', async () => {
    await answers([
      [`${addressOf('a1')}:80`, 'lan', undefined],
      [`${addressOf('a2')}:80`, 'lan', undefined],
    ])
    assert.not.ok(await ping(addressOf('a2'), { netns: 'lan', within: 1000 }))
  })

  test('a container goes out under the address of the host', async () => {
    assert.is(await seen('203.0.113.9', 'a1'), '203.0.113.2')
    assert.is(await seen('203.0.113.9', 'n1'), '203.0.113.2')
  })

  test('an internal network has no way out, and none to what another network publishes', async () => {
    await answers([
      ['203.0.113.9', 'i1', undefined],
      ['192.0.2.1:8080', 'i1', undefined],
      ['10.3.0.1:8080', 'i1', undefined],
      [`${addressOf('a1')}:80`, 'i1', undefined],
    ])
  })

  test('a neighbor on the LAN does not reach what is published on loopback', async () => {
    await sendLoopbackOut('lan', '192.0.2.1')
    await answers([
      ['127.0.0.1:8081', 'lan', undefined],
      ['127.0.0.1:8080', 'lan', undefined],
    ])
  })

  test("a container reaches neither the host's loopback nor what is published there", async () => {
    assert.is(await fetched('127.0.0.1:9999'), 'host')
    await sendLoopbackOut('b1', '10.2.0.1')
    await answers([
      ['127.0.0.1:9999', 'b1', undefined],
      ['127.0.0.1:8081', 'b1', undefined],
      ['127.0.0.1:8080', 'b1', undefined],
    ])
  })

  test.run()
}
