// The network modes of `docker run`, asked from inside with ip, ping and curl.

import * as assert from 'uvu/assert'
import { attachContainer, type Container, createNetns, createNetwork, host, openNetwork } from '../../lib/index.ts'
import { attachElsewhere } from '../network/support/processes.ts'
import { sweep } from '../network/support/sweep.ts'
import { linkShown } from '../network/support/witness.ts'
import { failureOf } from '../support/failure.ts'
import { createLab, curl, json, type Lab, output, ping, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const inside = ({ netns }: Container): { path: string } => ({ path: netns.path })

interface Shown {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly addr_info: readonly { readonly local: string }[]
}
const devices = (container: Container): Promise<Shown[]> => json('ip', ['address'], { netns: inside(container) })
const namesOf = async (container: Container): Promise<string[]> => (await devices(container)).map(({ ifname }) => ifname)

/** Whether this process still holds the namespace, as ls(1) sees its descriptors. */
const isHeld = async (inode: bigint): Promise<boolean> =>
  (await run('ls', ['-l', `/proc/${process.pid}/fd`])).stdout.includes(`net:[${inode}]`)

const test = suite('network modes')
let lab: Lab
test.before(async () => {
  lab = await createLab()
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})

test('host: the container has the host’s own network, and nothing is made', async () => {
  const before = await output('ip', ['-d', 'address'])
  await using web = await attachContainer({ name: 'web', network: 'host' })
  assert.is(web.mode, 'host')
  assert.is(web.netns, host)
  assert.is(await output('ip', ['-d', 'address']), before)
  await web.detach()
  assert.not.ok(host.closed)
})

test('none: nothing but a loopback, which works', async () => {
  const web = await attachContainer({ name: 'web', network: 'none' })
  assert.is(web.mode, 'none')
  assert.equal(
    (await devices(web)).map(({ ifname, addr_info }) => [ifname, addr_info[0]?.local]),
    [['lo', '127.0.0.1']],
  )
  assert.ok(await ping('127.0.0.1', { netns: inside(web) }))
  assert.is.not((await run('ping', ['-c', '1', '-W', '1', lab.internetAddress], { netns: inside(web) })).code, 0)
  const { inode } = web.netns
  assert.ok(await isHeld(inode))
  await web.detach()
  await web.detach()
  assert.not.ok(await isHeld(inode))
})

test('none: in a namespace that is there, which stays', async () => {
  await using box = await createNetns('box')
  const web = await attachContainer({ name: 'web', network: 'none', netns: 'box' })
  assert.is(web.netns.inode, box.inode)
  await web.detach()
  assert.is((await run('ip', ['netns', 'exec', 'box', 'ip', 'link'])).code, 0)
  await output('ip', ['netns', 'delete', 'box'])
})

test('bridge: the default network, made on demand, with a way out and published ports', async () => {
  const [web, app] = await Promise.all([
    attachContainer({ name: 'web', publish: ['8080:80'] }),
    attachContainer({ name: 'app', network: 'bridge' }),
  ])
  assert.is(web.mode === 'network' && web.network.name, 'bridge')
  assert.is((await linkShown('br-bridge'))?.altnames?.[0], 'netlink-ct/bridge')
  await using server = await lab.serve({ netns: inside(web), name: 'web', http: 80 })
  assert.is((await curl(`http://${lab.hostLanAddress}:8080/`, { netns: 'lan' })).answer?.server, 'web')
  const seen = await curl(`http://${lab.internetAddress}/`, { netns: inside(app) })
  assert.equal([seen.answer?.server, seen.answer?.peer], ['internet', lab.hostWanAddress])
  await server.stop()
  await web.detach()
  await app.detach()
  assert.equal(await (await openNetwork('bridge')).endpoints(), [])
  await (await openNetwork('bridge')).delete()
})

test('a network, by its name or itself, with the options of attach', async () => {
  const lan = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  const web = await attachContainer({ name: 'web', network: 'lab', addresses: ['10.9.0.7/24'], ifname: 'net0' })
  assert.equal(await namesOf(web), ['lo', 'net0'])
  assert.equal(
    (await devices(web))[1]?.addr_info.map(({ local }) => local),
    ['10.9.0.7'],
  )
  const app = await attachContainer({ name: 'app', network: lan })
  assert.ok(await ping('10.9.0.7', { netns: inside(app) }))
  await web.detach()
  assert.equal(
    (await lan.endpoints()).map(({ name }) => name),
    ['app'],
  )
  await app.detach()
  await lan.delete()
})

test('container: what the other has, one address and one localhost, and nothing of it goes with the second', async () => {
  const web = await attachContainer({ name: 'web' })
  const side = await attachContainer({ name: 'side', network: 'container:web' })
  assert.is(side.mode === 'container' && side.container, 'web')
  assert.is(side.netns.inode, web.netns.inode)
  assert.equal(await namesOf(side), ['lo', 'eth0'])
  {
    await using _server = await lab.serve({ netns: inside(web), name: 'web', http: 80 })
    assert.is((await curl('http://127.0.0.1/', { netns: inside(side) })).answer?.server, 'web')
  }
  await side.detach()
  assert.equal(await namesOf(web), ['lo', 'eth0'])
  // Also of one that is in no network.
  const alone = await attachContainer({ name: 'alone', network: 'none' })
  const beside = await attachContainer({ name: 'beside', network: 'container:alone' })
  assert.is(beside.netns.inode, alone.netns.inode)
  await Promise.all([web, alone, beside].map((one) => one.detach()))
  await (await openNetwork('bridge')).delete()
})

test('container: attached by another process, found by the kernel’s number for its namespace', async () => {
  const lan = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  await output('ip', ['netns', 'add', 'box'])
  await using other = await attachElsewhere('lab', { name: 'web', netns: 'box' }, { name: 'mute' })
  const side = await attachContainer({ name: 'side', network: 'container:web' })
  assert.equal(
    (await devices(side))[1]?.addr_info.map(({ local }) => `${local}/24`),
    other.endpoints[0]?.addresses,
  )
  await side.detach()
  // Nothing but the other process's own memory leads to a namespace without a name and without a process.
  const lost = await failureOf(() => attachContainer({ name: 'side', network: 'container:mute' }))
  assert.is(lost.code, 'CONTAINER_NOT_FOUND')
  assert.match(lost.message, /neither a name under \/run\/netns nor a process .*: give it as netns/)
  await lan.delete({ force: true })
  await output('ip', ['netns', 'delete', 'box'])
})

test('container: of a name that is nobody’s, or of two', async () => {
  const nobody = await failureOf(() => attachContainer({ name: 'side', network: 'container:nobody' }))
  assert.is(nobody.code, 'CONTAINER_NOT_FOUND')
  assert.match(nobody.message, /no network of the host has a container 'nobody', and this process made none/)
  const [one, two] = [
    await createNetwork({ name: 'one', subnets: ['10.9.0.0/24'] }),
    await createNetwork({ name: 'two', subnets: ['10.9.1.0/24'] }),
  ]
  await one.attach({ name: 'web' })
  await two.attach({ name: 'web' })
  const either = await failureOf(() => attachContainer({ name: 'side', network: 'container:web' }))
  assert.is(either.code, 'CONTAINER_AMBIGUOUS')
  assert.match(either.message, /2 namespaces have an endpoint 'web'/)
  await one.delete({ force: true })
  await two.delete({ force: true })
})

const refused: readonly (readonly [unknown, string, RegExp])[] = [
  [{ name: 'a', network: 'host', publish: ['80'] }, 'ERR_INVALID_ARG_VALUE', /^publish makes no sense with network 'host'/],
  [{ name: 'a', network: 'host', netns: 'box' }, 'ERR_INVALID_ARG_VALUE', /^netns makes no sense with network 'host'/],
  [{ name: 'a', network: 'none', mac: '02:00:00:00:00:01' }, 'ERR_INVALID_ARG_VALUE', /^mac makes no sense with network 'none'/],
  [
    { name: 'a', network: 'container:b', netns: 'box' },
    'ERR_INVALID_ARG_VALUE',
    /^netns makes no sense with network 'container:b'/,
  ],
  [{ name: 'a', network: 'container:' }, 'ERR_OUT_OF_RANGE', /behind container:/],
  [{ name: 'a', network: 7 }, 'ERR_INVALID_ARG_TYPE', /^network must be 'host', 'none', 'bridge', 'container:NAME'/],
  [{ name: 'a', netwrok: 'host' }, 'ERR_INVALID_ARG_VALUE', /did you mean 'network'/],
  [{ name: 'a b' }, 'ERR_INVALID_ARG_VALUE', /^name/],
  [{}, 'ERR_INVALID_ARG_TYPE', /^name/],
  [undefined, 'ERR_INVALID_ARG_TYPE', /^container must be an object/],
]
for (const [spec, code, message] of refused) {
  test(`refused: ${JSON.stringify(spec)}`, async () => {
    const failure = await failureOf(() => attachContainer(spec as { name: string }))
    assert.is(failure.code, code)
    assert.match(failure.message, message)
  })
}

test('refused: a network that is not there', async () => {
  assert.is((await failureOf(() => attachContainer({ name: 'a', network: 'nowhere' }))).code, 'NETWORK_NOT_FOUND')
})

test.run()
