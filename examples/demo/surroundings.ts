// What is around the host: a neighbor on its LAN and a server on the internet, each a namespace at the end of a wire. They are made
// with the library, too: namespaces, veth pairs, addresses and routes are not only for containers.

import { createNetns, createVethPair, deleteNetns, host, type Netns } from 'netlink-ct'
import type { Narrator } from './narrator.ts'
import type { Undo } from './undo.ts'

/** A machine of the surroundings, and the host's end of the wire to it. */
export interface Place {
  readonly name: string
  readonly address: string
  readonly hostIfname: string
  readonly hostAddress: string
}

// Addresses that are set aside for documentation (RFC 5737).
export const lanPlace: Place = { name: 'lan', address: '192.0.2.9', hostIfname: 'lan0', hostAddress: '192.0.2.1' }
export const internetPlace: Place = {
  name: 'internet',
  address: '203.0.113.9',
  hostIfname: 'wan0',
  hostAddress: '203.0.113.2',
}

const cidr = (address: string): string => `${address}/24`

/** Makes a namespace and a wire to it. */
async function connect(narrator: Narrator, undo: Undo, title: string, place: Place): Promise<Netns> {
  const { name, address, hostIfname, hostAddress } = place
  const netns = await narrator.step(
    {
      title: `${title}: a namespace`,
      code: [`const ${name} = await createNetns('${name}')`],
      shell: [`ip netns add ${name}`],
    },
    () => createNetns(name),
  )
  undo.push({ title: `${title} goes`, code: [`await deleteNetns('${name}')`], shell: [`ip netns delete ${name}`] }, async () => {
    await netns.close()
    await deleteNetns(name)
  })
  await narrator.step(
    {
      title: `${title}: a wire to the host, up, with addresses at both ends`,
      code: [
        `await createVethPair({ name: '${hostIfname}', up: true, addresses: ['${cidr(hostAddress)}'],`,
        `                       peer: { netns: ${name}, name: 'eth0', up: true, addresses: ['${cidr(address)}'] } })`,
      ],
      shell: [
        `ip link add ${hostIfname} type veth peer name eth0 netns ${name}`,
        `ip address add ${cidr(hostAddress)} dev ${hostIfname}`,
        `ip link set ${hostIfname} up`,
        `ip -n ${name} address add ${cidr(address)} dev eth0`,
        `ip -n ${name} link set eth0 up`,
      ],
    },
    () =>
      createVethPair({
        name: hostIfname,
        up: true,
        addresses: [cidr(hostAddress)],
        peer: { netns, name: 'eth0', up: true, addresses: [cidr(address)] },
      }),
  )
  undo.push(
    { title: `${title} is cut off`, code: [`await deleteLink('${hostIfname}')`], shell: [`ip link delete ${hostIfname}`] },
    () => host.deleteLink(hostIfname),
  )
  return netns
}

/** A new namespace, as the sandbox is, has its loopback down and without an address: the kernel gives it one when it comes up. */
async function wakeLoopback(narrator: Narrator, undo: Undo): Promise<void> {
  if ((await host.getLink('lo')).up) return
  await narrator.step({ title: 'the loopback', code: [`await setLink('lo', { up: true })`], shell: ['ip link set lo up'] }, () =>
    host.setLink('lo', { up: true }),
  )
  undo.push(
    {
      title: 'the loopback is as before',
      code: [`await deleteAddress('lo', '127.0.0.1/8')`, `await setLink('lo', { up: false })`],
      shell: ['ip address delete 127.0.0.1/8 dev lo', 'ip link set lo down'],
    },
    async () => {
      await host.deleteAddress('lo', '127.0.0.1/8')
      await host.setLink('lo', { up: false })
    },
  )
}

export interface Surroundings {
  readonly lan: Netns
  readonly internet: Netns
}

export async function buildSurroundings(narrator: Narrator, undo: Undo): Promise<Surroundings> {
  narrator.heading('Around the host: a LAN with a neighbor, and the internet')
  await wakeLoopback(narrator, undo)
  const lan = await connect(narrator, undo, 'the LAN neighbor', lanPlace)
  const internet = await connect(narrator, undo, 'the internet', internetPlace)
  const gateway = internetPlace.address
  await narrator.step(
    {
      title: "the host's way to the internet",
      code: [`await addRoute({ to: 'default', via: '${gateway}' })`],
      shell: [`ip route add default via ${gateway}`],
    },
    () => host.addRoute({ to: 'default', via: gateway }),
  )
  return { lan, internet }
}
