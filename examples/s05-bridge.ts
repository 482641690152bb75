// Two containers on a bridge, which is a switch made of software: each container's cable ends in a port of it.
//
// The host has no address in their subnet and forwards nothing. That they reach each other is the bridge's doing, by MAC address.

import { createBridge, createNetns, createVethPair, deleteNetns, host, type Netns } from 'netlink-ct'
import { example } from './support.ts'

await example('S5: two containers on a bridge', async ({ step, look, expect, after }) => {
  step('A bridge.', 'ip link add br0 type bridge; ip link set br0 up')
  await createBridge({ name: 'br0', up: true })
  after(() => host.deleteLink('br0'))

  /** A namespace with a cable to the bridge. */
  const plugIn = async (name: string, port: string, ifname: string, address: string): Promise<Netns> => {
    step(
      `The container ${name}, at the port ${port} of the bridge.`,
      `ip netns add ${name}`,
      `ip link add ${port} type veth peer name ${ifname} netns ${name}`,
      `ip link set ${port} master br0 up`,
      `ip -n ${name} address add ${address} dev ${ifname}; ip -n ${name} link set ${ifname} up`,
    )
    const netns = await createNetns(name)
    after(async () => {
      await netns.close()
      await deleteNetns(name)
    })
    const inside = { netns, name: ifname, addresses: [address], up: true }
    await createVethPair({ name: port, master: 'br0', up: true, peer: inside })
    after(() => host.deleteLink(port))
    return netns
  }
  const netns0 = await plugIn('netns0', 'veth0', 'ceth0', '172.18.0.10/16')
  const netns1 = await plugIn('netns1', 'veth1', 'ceth1', '172.18.0.20/16')

  step('They reach each other.')
  const there = await look(netns0, 'ping -c 1 -W 5 172.18.0.20')
  expect('netns0 reaches netns1', there.code === 0)
  const back = await look(netns1, 'ping -c 1 -W 5 172.18.0.10')
  expect('netns1 reaches netns0', back.code === 0)

  step('Each has learned the MAC of the other: they are neighbors, with no router between them.')
  const { mac } = await netns1.getLink('ceth1')
  const neighbors = await look(netns0, 'ip neigh')
  expect(
    'netns0 knows 172.18.0.20 by the MAC of ceth1',
    new RegExp(`^172\\.18\\.0\\.20 dev ceth0 lladdr ${mac} `, 'm').test(neighbors.output),
  )
  const forwarding = await look(host, 'bridge fdb show br br0 dynamic')
  expect('the bridge knows at which port that MAC is', new RegExp(`^${mac} dev veth1 master br0`, 'm').test(forwarding.output))

  step('The host itself is not in their subnet.')
  const routes = await look(host, 'ip -4 route show 172.18.0.0/16')
  expect('it has no route there', routes.output === '')
})
