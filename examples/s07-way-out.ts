// Out to the world: containers have private addresses, which nobody outside can answer. So the host passes their packets on under its own
// address, and gives the answers back to them: masquerading, a kind of network address translation (NAT).
//
// createNetwork does all of it: the bridge, the gateway's address, forwarding, and the rules. Here with IPv4 and IPv6.

import { createNetwork, host } from 'netlink-ct'
import { call, example, machine, webServer } from './support.ts'

await example('S7: containers reach the world under the address of the host', async (play) => {
  const { step, look, expect, after } = play
  const internet = await machine(play, 'internet', {
    address: '203.0.113.9/24',
    hostIfname: 'wan0',
    hostAddress: '203.0.113.2/24',
  })
  await host.addRoute({ to: 'default', via: '203.0.113.9' })
  await webServer(play, internet, 'internet', 80)
  // The host hears of its IPv6 routers by their advertisements, as most do: that must not end because it is a router now.
  await host.setSysctl('net.ipv6.conf.wan0.accept_ra', 1)
  const forwardedBefore = await host.getSysctl('net.ipv4.ip_forward')

  step(
    'A network. The host gets 172.18.0.1 in it, as the gateway of the containers.',
    'ip link add br-lab type bridge; ip link set br-lab up',
    'ip address add 172.18.0.1/16 dev br-lab',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    'iptables -t nat -A POSTROUTING -s 172.18.0.0/16 ! -o br-lab -j MASQUERADE',
    'and the same for IPv6',
  )
  const network = await createNetwork({ name: 'lab', subnets: ['172.18.0.0/16', 'fd00:18::/64'] })
  after(async () => {
    await network.delete({ force: true })
    const forwarded = await look(host, 'cat /proc/sys/net/ipv4/ip_forward')
    expect('after the network is deleted, forwarding is as it was', forwarded.output === forwardedBefore)
  })

  step(
    'A container: a namespace, a veth pair to the bridge, an address, and a route to everywhere through the gateway.',
    'ip netns add app',
    'ip link add veth0 type veth peer name eth0 netns app; ip link set veth0 master br-lab up',
    'ip -n app address add 172.18.0.2/16 dev eth0; ip -n app link set eth0 up',
    'ip -n app route add default via 172.18.0.1',
  )
  const { netns } = await network.attach({ name: 'app' })
  const app = call(netns, 'app')
  await look(app, 'ip route')

  step('It asks a server on the internet, which says whom it saw.')
  const answer = await look(app, 'curl --silent --max-time 10 http://203.0.113.9/')
  expect('that was the host, 203.0.113.2, not the container, 172.18.0.2', answer.output === 'internet saw 203.0.113.2')

  step('Forwarding is on, and the host still listens to its IPv6 router: a router does so only if accept_ra is 2.')
  const four = await look(host, 'cat /proc/sys/net/ipv4/ip_forward')
  expect('the host forwards', four.output === '1')
  const router = await look(host, 'cat /proc/sys/net/ipv6/conf/wan0/accept_ra')
  expect('accept_ra of wan0 went from 1 to 2', router.output === '2')
})
