// Our networks in the hands of other tools, and theirs in ours.

import * as assert from 'uvu/assert'
import { createNetns, createNetwork, deleteNetns } from '../../lib/index.ts'
import { curl, output, ping, run, serve } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { sweep } from './support/sweep.ts'
import { elementsShown, linksShown } from './support/witness.ts'

const test = suite('interoperability')
test.after.each(sweep)

// Where a user namespace may not mount /sys anew, `ip netns exec` cannot work for anybody.
await output('ip', ['netns', 'add', 'probe'])
const noExec = (await run('ip', ['netns', 'exec', 'probe', 'true'])).code !== 0 && '`ip netns exec` may not mount /sys here'
await output('ip', ['netns', 'delete', 'probe'])

test('nft prints the table in words that it takes again, and it is the same table then', async () => {
  const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  const inner = await createNetwork({ name: 'inner', subnets: ['10.8.0.0/24'], internal: true, icc: false })
  await lab.attach({ name: 'web', publish: ['8080:80', '127.0.0.1:53:53/udp'] })
  const listed = await output('nft', ['--stateless', 'list', 'ruleset'])
  for (const words of [
    'map ports4 {',
    'type inet_proto . inet_service : ipv4_addr . inet_service',
    'tcp . 8080 comment "lab/web" : 10.9.0.2 . 80',
    '127.0.0.1 . udp . 53 comment "lab/web" : 10.9.0.2 . 53',
    'comment "lab" : goto into_network',
    'type nat hook prerouting priority dstnat; policy accept;',
    'dnat ip to meta l4proto . th dport map @ports4',
    'iifgroup vmap @from',
    'oifgroup vmap @into',
    'ct state established,related accept',
  ])
    assert.ok(listed.includes(words), `${words}\n${listed}`)
  // What nft cannot put into words it prints as the kernel's code, or as unknown.
  assert.not.match(listed, /\[ |unknown/)
  await output('nft', ['-c', '-f', '-'], { input: `flush ruleset\n${listed}` })
  await output('nft', ['-f', '-'], { input: `flush ruleset\n${listed}` })
  assert.is(await output('nft', ['--stateless', 'list', 'ruleset']), listed)
  await lab.delete({ force: true })
  await inner.delete()
  assert.is(await output('nft', ['list', 'ruleset']), '')
})

test('a network goes on working with a table that nft restored', async () => {
  const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  const web = await lab.attach({ name: 'web', publish: ['8080:80'] })
  const listed = await output('nft', ['list', 'ruleset'])
  await output('nft', ['-f', '-'], { input: `flush ruleset\n${listed}` })
  await web.publish('8081:81')
  await web.unpublish('8080:80')
  assert.equal(await elementsShown('ports4'), ['tcp . 8081 comment lab/web : 10.9.0.2 . 81'])
  await web.detach()
  assert.equal(await elementsShown('ports4'), [])
  await lab.delete()
})

test('a namespace of `ip netns add` is attached by its name, and serves', async () => {
  await output('ip', ['netns', 'add', 'theirs'])
  const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  const web = await lab.attach({ name: 'web', netns: 'theirs', publish: ['8080:80'] })
  await using _server = await serve({ netns: 'theirs', name: 'web', http: 80 })
  await output('ip', ['link', 'set', 'lo', 'up'])
  assert.is((await curl('http://127.0.0.1:8080/')).answer?.server, 'web')
  assert.ok(await ping('10.9.0.1', { netns: 'theirs' }))
  await web.detach()
  assert.equal(
    (await linksShown('theirs')).map(({ ifname }) => ifname),
    ['lo'],
  )
  await lab.delete()
  await output('ip', ['netns', 'delete', 'theirs'])
  await output('ip', ['link', 'set', 'lo', 'down'])
})

test.skipIf(noExec, '`ip netns exec` enters a named container and sees its network', async () => {
  const ours = await createNetns('ours')
  const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  const web = await lab.attach({ name: 'web', netns: ours })
  assert.match(
    await output('ip', ['netns', 'exec', 'ours', 'ip', '-4', 'address', 'show', 'dev', 'eth0']),
    /inet 10\.9\.0\.2\/24 brd 10\.9\.0\.255/,
  )
  assert.match(await output('ip', ['netns', 'exec', 'ours', 'ip', 'route']), /^default via 10\.9\.0\.1 dev eth0/)
  await web.detach()
  await lab.delete()
  await ours.close()
  await deleteNetns('ours')
})

test.run()
