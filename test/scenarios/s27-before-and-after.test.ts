// S27: before and after. By hand: iptables -t nat -L before and after docker run -p 8080:80

import * as assert from 'uvu/assert'
import { createNetwork, inspect, type NetnsSnapshot } from '../../lib/index.ts'
import { changes } from '../network/support/changes.ts'
import { elementsShown } from '../network/support/witness.ts'
import { kernelState } from '../support/lab.ts'
import { runProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { ipLinks } from '../support/witness.ts'
import { addressOf, inLab } from './support/scenario.ts'

const test = suite('S27: before and after')

/** Objects by what identifies them for a reader. */
const linesOf = ({ links, routes, firewall }: NetnsSnapshot): string[] => [
  ...links.map(({ name, kind }) => `link ${name} ${kind ?? 'physical'}`),
  ...routes.filter(({ table }) => table === 254).map(({ to }) => `route ${to}`),
  ...(firewall ?? [])
    .flatMap((object) => ('map' in object && object.map.elem !== undefined ? object.map.elem : []))
    .map((one) => `map ${JSON.stringify(one)}`),
]

test('two snapshots differ by what an attach with a published port made, and by nothing after the detach', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const [before, state] = [await inspect(), await kernelState()]
    const web = await network.attach({ name: 'web', publish: ['8080:80'] })
    const after = await inspect()
    const come = linesOf(after).filter((line) => !linesOf(before).includes(line))
    assert.equal(
      come.filter((line) => line.startsWith('link ')),
      [`link ${web.hostIfname} veth`],
    )
    assert.ok((await ipLinks(undefined)).some(({ ifname }) => ifname === web.hostIfname))
    const elements = come.filter((line) => line.startsWith('map '))
    assert.ok(
      elements.some((line) => line.includes('8080') && line.includes(addressOf(web))),
      elements.join('\n'),
    )
    assert.equal(await elementsShown('ports4'), [`tcp . 8080 comment lab/web : ${addressOf(web)} . 80`])
    await web.detach()
    assert.equal(linesOf(await inspect()).sort(), linesOf(before).sort())
    assert.equal(changes(state, await kernelState()), [])
    await network.delete()
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
