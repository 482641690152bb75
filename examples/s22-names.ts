// Containers find each other by name: a network with `dns` has a resolver on its gateway, in this process.
//
// It knows the containers of its network, forwards and backwards, and asks the host's servers for everything else. A name is there when
// `attach` returns and gone when `detach` returns.

import { rm, writeFile } from 'node:fs/promises'
import { decode, encode } from 'dns-packet'
import { containerFiles, createNetwork } from 'netlink-ct'
import { call, example, machine, webServer } from './support.ts'

await example('S22: containers find each other by name', async (play) => {
  const { step, look, expect, after } = play
  const internet = await machine(play, 'internet', {
    address: '203.0.113.9/24',
    hostIfname: 'wan0',
    hostAddress: '203.0.113.2/24',
  })

  step('Somewhere on the internet there is a name server, which says 203.0.113.80 to everything.')
  const upstream = await internet.bindUdp({ port: 53 })
  after(async () => upstream.close())
  upstream.on('message', (query, client) => {
    const { id, questions = [] } = decode(query)
    const answers = questions.map(({ name }) => ({ type: 'A' as const, name, ttl: 60, data: '203.0.113.80' }))
    upstream.send(encode({ type: 'response', id, questions, answers }), client.port, client.address)
  })

  step(
    'A network with names. Without `servers` it asks those of the host, in /etc/resolv.conf.',
    'docker network create --ipv6 shop   # and the resolver of the Docker daemon',
  )
  const dns = { domain: 'shop.test', servers: ['203.0.113.9'] }
  const shop = await createNetwork({ name: 'shop', subnets: ['172.18.0.0/16', 'fd00:18::/64'], dns })
  after(() => shop.delete({ force: true }))
  const db = await shop.attach({ name: 'db', aliases: ['sql'] })
  const endpoint = await shop.attach({ name: 'web' })
  const web = call(endpoint.netns, 'web')
  await webServer(play, call(db.netns, 'db'), 'db', 80)

  const says = async (question: string, expected: string): Promise<void> => {
    const { output } = await look(web, `dig +short @172.18.0.1 ${question}`)
    expect(`${question} is ${expected || 'nobody'}`, output === expected)
  }
  step('A container asks the gateway.')
  await says('db A', '172.18.0.2')
  await says('db AAAA', 'fd00:18::2')
  await says('sql.shop.test A', '172.18.0.2')
  await says('+tcp db A', '172.18.0.2')
  await says('-x 172.18.0.2', 'db.shop.test.')
  await says('www.example.org A', '203.0.113.80') // forwarded
  await shop.attachMany(Array.from({ length: 40 }, (_, at) => ({ name: `worker-${at}`, aliases: ['workers'] })))
  const one = await look(web, 'dig +noall +comments +noedns +ignore @172.18.0.1 workers A')
  expect('forty addresses do not fit 512 bytes: the answer says that it is cut short (tc)', / tc /.test(one.output))
  const all = await look(web, 'dig +short +noedns @172.18.0.1 workers A | sort --unique | wc -l')
  expect('dig asks again by TCP, and gets them all', all.output === '40')
  const unknown = await look(web, 'dig +noall +comments @172.18.0.1 nobody.shop.test')
  expect('that there is no nobody.shop.test is said here, not asked elsewhere', unknown.output.includes('status: NXDOMAIN'))

  step('Programs ask as /etc/resolv.conf says. Whoever runs the container mounts it into it, as unshare and mount do here.')
  const files = containerFiles({ hostname: 'web', attached: [{ network: shop, endpoint }] })
  const resolvConf = '/run/web.resolv.conf'
  await writeFile(resolvConf, files.resolvConf)
  after(() => rm(resolvConf))
  const inContainer = (command: string) =>
    look(web, `unshare --mount sh -c 'mount --bind ${resolvConf} /etc/resolv.conf && ${command}'`)
  await inContainer('cat /etc/resolv.conf')
  const answer = await inContainer('curl --ipv4 --silent --max-time 10 http://db/')
  expect('curl finds the database by its name', answer.output === 'db saw 172.18.0.3')

  step('Who is in another network does not hear of these names.')
  const other = await createNetwork({ name: 'other', subnets: ['172.19.0.0/16'], dns: { servers: ['203.0.113.9'] } })
  after(() => other.delete({ force: true }))
  const stranger = call((await other.attach({ name: 'stranger' })).netns, 'stranger')
  const elsewhere = await look(stranger, 'dig +short @172.19.0.1 db A')
  expect('db is not the container there: it was asked for elsewhere', elsewhere.output === '203.0.113.80')

  step('A container that is detached has no name any more.')
  await db.detach()
  await says('db.shop.test A', '')
})
