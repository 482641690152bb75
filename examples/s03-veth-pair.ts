// A container and the host, joined by a veth pair: a cable with a plug at each end.
//
// The container is a network namespace: it has a network stack of its own, with devices, addresses, routes and a firewall, and nothing in
// it at first. One end of the cable is on the host, the other one is born inside.

import { createNetns, createVethPair, deleteNetns, host } from 'netlink-ct'
import { example, machine } from './support.ts'

await example('S3: a container and the host, joined by a veth pair', async (play) => {
  const { step, look, expect, after } = play

  step('A namespace, which stands for the container.', 'ip netns add netns0')
  const container = await createNetns('netns0')
  after(async () => {
    await container.close()
    await deleteNetns('netns0')
  })
  const first = await look(container, 'ip -brief link')
  expect('there is nothing inside but a loopback that is down', /^lo\s+DOWN[^\n]*$/.test(first.output))

  step(
    'A veth pair: veth0 on the host, ceth0 inside, each with an address, and up. It is one message to the kernel for each end.',
    'ip link add veth0 type veth peer name ceth0 netns netns0',
    'ip address add 172.18.0.11/16 dev veth0; ip link set veth0 up',
    'ip -n netns0 address add 172.18.0.10/16 dev ceth0; ip -n netns0 link set ceth0 up',
  )
  await createVethPair({
    name: 'veth0',
    addresses: ['172.18.0.11/16'],
    up: true,
    peer: { netns: container, name: 'ceth0', addresses: ['172.18.0.10/16'], up: true },
  })
  after(() => host.deleteLink('veth0')) // one end goes with the other

  step('They reach each other.')
  const inwards = await look(host, 'ping -c 1 -W 5 172.18.0.10')
  expect('the host reaches the container', inwards.code === 0)
  const outwards = await look(container, 'ping -c 1 -W 5 172.18.0.11')
  expect('the container reaches the host', outwards.code === 0)

  step('And nothing else: the host has another wire, to a LAN, but the container has no route to it.')
  await machine(play, 'lan', { address: '192.0.2.9/24', hostIfname: 'lan0', hostAddress: '192.0.2.1/24' })
  await look(container, 'ip route')
  const other = await look(container, 'ping -c 1 -W 5 192.0.2.1')
  expect("the container does not reach the host's other address", /unreachable/i.test(other.output))
  const neighbor = await look(container, 'ping -c 1 -W 5 192.0.2.9')
  expect('nor the LAN behind it', /unreachable/i.test(neighbor.output))
})
