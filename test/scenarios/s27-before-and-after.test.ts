// S27: before and after. By hand: iptables -t nat -L before and after docker run -p 8080:80

import * as assert from 'uvu/assert'
import { createNetwork, diffSnapshots, explain, inspect } from '../../lib/index.ts'
import { changes } from '../network/support/changes.ts'
import { elementsShown } from '../network/support/witness.ts'
import { kernelState } from '../support/lab.ts'
import { runProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { ipLinks } from '../support/witness.ts'
import { addressOf, inLab } from './support/scenario.ts'

const test = suite('S27: before and after')

test('two snapshots differ by what an attach with a published port made, and by nothing after the detach', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const [before, state] = [await inspect(), await kernelState()]
    const web = await network.attach({ name: 'web', publish: ['8080:80'] })
    const after = await inspect()
    const come = diffSnapshots(before, after).filter(({ change }) => change === 'added')
    assert.equal(
      come.filter(({ part }) => part === 'links').map(({ what }) => what),
      [`link ${web.hostIfname}`],
    )
    assert.ok((await ipLinks(undefined)).some(({ ifname }) => ifname === web.hostIfname))
    const elements = come.filter(({ part }) => part === 'firewall').map(({ what }) => what)
    assert.ok(
      elements.some(
        (what) => what.startsWith('element inet netlink-ct ports4 ') && what.includes('8080') && what.includes(addressOf(web)),
      ),
      elements.join('\n'),
    )
    assert.equal(await elementsShown('ports4'), [`tcp . 8080 comment lab/web : ${addressOf(web)} . 80`])
    await web.detach()
    const left = diffSnapshots(before, await inspect()).filter(({ part }) => part !== 'nsids')
    assert.equal(
      left
        .flatMap((one) => (one.change === 'changed' ? one.fields : one.what))
        .filter((field) => !['operstate', 'carrier'].includes(field)),
      [],
    )
    assert.equal(changes(state, await kernelState()), [])
    await network.delete()
  })
})

test('what an attach sends is told in the words of ip and nft', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const { sent } = await explain(() => network.attach({ name: 'web', publish: ['8080:80'] }))
    const words = sent.map((one) => one.words).join('\n')
    for (const line of [
      /^link add .*info { kind veth /m,
      /^address add .*local 172\.18\.0\.2 /m,
      /^route add .*gateway 172\.18\.0\.1/m,
      /^add element .*table netlink-ct set ports4/m,
    ])
      assert.match(words, line)
    await network.delete({ force: true })
  })
})

test('NODE_DEBUG=netlink-ct prints what an operation sends, in the words of ip and nft', async () => {
  const { code, stderr } = await runProgram(
    `const netns = await ct.createNetns()
     await netns.createBridge({ name: 'br0', up: true })
     await netns.addAddress('br0', '172.18.0.1/16')
     await netns.addRoute({ to: '10.0.0.0/8', via: '172.18.0.2' })
     await netns.nftables.apply([{ add: { table: { family: 'inet', name: 'mine' } } }])`,
    { within: ['env', 'NODE_DEBUG=netlink-ct'] },
  )
  assert.is(code, 0)
  assert.match(stderr, /> link add .*name br0 .*kind bridge/)
  assert.match(stderr, /> address add .*172\.18\.0\.1.* # add the address 172\.18\.0\.1\/16 on br0/)
  assert.match(stderr, /> route add .*172\.18\.0\.2.* # add the route to 10\.0\.0\.0\/8/)
  assert.match(stderr, /> add table .*mine/)
})

test.run()
