// A published port: who asks port 8080 of the host gets an answer from port 80 of a container.
//
// Not everybody's packets take the same way through the host, so that each of the five below needs a rule or a setting of its own, and
// settings of others may be in the way (br_netfilter). `publish` works for all of them. Where the container's answer would not come back the
// same way, the packets come under the address of the gateway, 172.18.0.1.

import { createNetwork, host, type Netns } from 'netlink-ct'
import { call, called, example, machine, webServer } from './support.ts'

await example('S9: a published port, reached from everywhere', async (play) => {
  const { step, look, expect, after } = play
  const lan = await machine(play, 'lan', { address: '192.0.2.9/24', hostIfname: 'lan0', hostAddress: '192.0.2.1/24' })

  step(
    'A container whose port 80 is published as port 8080 of the host, and one in another network.',
    'docker network create lab; docker run --network lab --name web --publish 8080:80 …',
    'iptables -t nat -A PREROUTING -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.2:80',
    'iptables -t nat -A OUTPUT     -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.2:80',
    'iptables -t nat -A POSTROUTING -s 172.18.0.2 -d 172.18.0.2 -p tcp --dport 80 -j MASQUERADE',
    'iptables -A FORWARD ! -i br-lab -o br-lab -d 172.18.0.2 -p tcp --dport 80 -j ACCEPT',
    'sysctl net.ipv4.conf.br-lab.route_localnet=1; bridge link set dev veth0 hairpin on',
  )
  const lab = await createNetwork({ name: 'lab', subnets: ['172.18.0.0/16'] })
  after(() => lab.delete({ force: true }))
  const other = await createNetwork({ name: 'other', subnets: ['172.19.0.0/16'] })
  after(() => other.delete({ force: true }))
  const endpoint = await lab.attach({ name: 'web', publish: ['8080:80'] })
  const web = call(endpoint.netns, 'web')
  const stranger = call((await other.attach({ name: 'stranger' })).netns, 'stranger')
  await webServer(play, web, 'web', 80)
  await webServer(play, web, 'web', 9000)

  const asks = async (who: Netns, url: string, expected: string): Promise<void> => {
    const { output } = await look(who, `curl --silent --max-time 10 ${url}`)
    expect(`${called(who)}: ${expected}`, output === expected)
  }
  const bridgeNetfilter = 'net.bridge.bridge-nf-call-iptables'
  const before = await host.getSysctl(bridgeNetfilter).catch(() => undefined) // a kernel without br_netfilter has none
  if (before !== undefined) after(() => host.setSysctl(bridgeNetfilter, before))
  for (const value of before === undefined ? [undefined] : [0, 1]) {
    step(`Everybody asks${value === undefined ? '' : `, with ${bridgeNetfilter}=${value}`}.`)
    if (value !== undefined) await host.setSysctl(bridgeNetfilter, value)
    await asks(lan, 'http://192.0.2.1:8080/', 'web saw 192.0.2.9')
    await asks(host, 'http://192.0.2.1:8080/', 'web saw 192.0.2.1')
    await asks(host, 'http://localhost:8080/', 'web saw 172.18.0.1')
    await asks(web, 'http://192.0.2.1:8080/', 'web saw 172.18.0.1')
    await asks(stranger, 'http://192.0.2.1:8080/', 'web saw 172.18.0.1')
  }

  step('What is not published is not there for the LAN: port 9000 of the same container.')
  const closed = await look(lan, 'curl --silent --show-error --max-time 10 http://192.0.2.1:9000/')
  expect('the host refuses (curl: 7)', closed.code === 7)

  step('Published at run time, and withdrawn.')
  await endpoint.publish('9000:9000')
  await asks(lan, 'http://192.0.2.1:9000/', 'web saw 192.0.2.9')
  await endpoint.unpublish('9000:9000')
  const again = await look(lan, 'curl --silent --show-error --max-time 10 http://192.0.2.1:9000/')
  expect('the host refuses again', again.code === 7)
})
