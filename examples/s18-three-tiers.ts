// Three tiers: a frontend that the world reaches at port 80, a backend for the frontend only, a database for the backend only.
//
// Each tier is a network. Networks do not reach each other unless a policy allows it, so two permissions are all that it takes. Backend and
// database are internal: without NAT and without a way out. The result is checked as a matrix, cell by cell.

import { allow, createNetwork, host, type Netns } from 'netlink-ct'
import { call, called, example, machine, webServer } from './support.ts'

await example('S18: three tiers, of which each reaches only the next', async (play) => {
  const { step, look, expect, after } = play
  const wire = { address: '203.0.113.9/24', hostIfname: 'wan0', hostAddress: '203.0.113.2/24' }
  const internet = await machine(play, 'internet', wire)
  await host.addRoute({ to: 'default', via: '203.0.113.9' })
  // A stranger who knows where the containers are, and sends there.
  await internet.addRoute({ to: '10.1.0.0/16', via: '203.0.113.2' })

  step(
    'Three networks, with a container each.',
    'docker network create frontend; docker network create --internal backend; docker network create --internal database',
  )
  interface Tier {
    readonly name: string
    readonly subnet: string
    readonly port: number
    readonly publish?: readonly string[]
    /** Who is in an internal network has no default route: the tiers that it talks to are told to it. */
    readonly talksTo?: readonly string[]
  }
  const build = async ({ name, subnet, port, publish = [], talksTo = [] }: Tier): Promise<Netns> => {
    const network = await createNetwork({ name, subnets: [subnet], internal: talksTo.length > 0 })
    after(() => network.delete({ force: true }))
    const { netns } = await network.attach({ name: 'app', publish, routes: talksTo.map((to) => ({ to })) })
    await webServer(play, call(netns, name), name, port)
    return netns
  }
  const [front, back, data] = ['10.1.1.0/24', '10.1.2.0/24', '10.1.3.0/24'] as const
  const frontend = await build({ name: 'frontend', subnet: front, port: 80, publish: ['80:80'] })
  const backend = await build({ name: 'backend', subnet: back, port: 8080, talksTo: [front, data] })
  const database = await build({ name: 'database', subnet: data, port: 5432, talksTo: [back] })
  await webServer(play, internet, 'internet', 80)

  step(
    'The frontend may begin connections to the backend, and the backend to the database.',
    'iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
    'iptables -A FORWARD -s 10.1.1.0/24 -d 10.1.2.0/24 -p tcp --dport 8080 -j ACCEPT',
    'iptables -A FORWARD -s 10.1.2.0/24 -d 10.1.3.0/24 -p tcp --dport 5432 -j ACCEPT',
    'and all that Docker drops between networks is to be let through first: iptables -I DOCKER-USER …',
  )
  await allow({ from: 'frontend', to: 'backend', ports: '8080' })
  await allow({ from: 'backend', to: 'database', ports: '5432' })

  step('One of each, to see.')
  const answer = await look(internet, 'curl --silent --max-time 10 http://203.0.113.2/')
  expect('the internet reaches the published port', answer.output === 'frontend saw 203.0.113.9')
  const direct = await look(internet, 'curl --silent --show-error --connect-timeout 1 http://10.1.2.2:8080/')
  expect('and not the backend behind it', direct.code !== 0)
  await look(database, 'ip route')

  step('All of them, by sockets of Node.js that are made inside (Netns.connect).')
  const targets = ['203.0.113.2:80', '10.1.1.2:80', '10.1.2.2:8080', '10.1.3.2:5432', '203.0.113.9:80']
  const wanted = new Map([
    [internet, ['yes', 'dropped', 'dropped', 'dropped', 'yes']],
    [frontend, ['yes', 'yes', 'yes', 'dropped', 'yes']],
    [backend, ['no route', 'dropped', 'yes', 'yes', 'no route']],
    [database, ['no route', 'no route', 'dropped', 'yes', 'no route']],
  ])
  const reaches = async (who: Netns, target: string): Promise<string> => {
    const [address = '', port] = target.split(':')
    const signal = AbortSignal.timeout(3000) // what is dropped is not answered
    try {
      const socket = await who.connect({ host: address, port: Number(port), signal })
      socket.destroy()
      return 'yes'
    } catch (error) {
      if (signal.aborted) return 'dropped'
      return error instanceof Error && error.message.includes('ENETUNREACH') ? 'no route' : String(error)
    }
  }
  const rows = await Promise.all([...wanted.keys()].map((who) => Promise.all(targets.map((target) => reaches(who, target)))))
  const line = (first: string, cells: readonly string[]): string => [first, ...cells].map((cell) => cell.padEnd(16)).join('')
  console.log(`    ${line('', ['published port', 'frontend', 'backend', 'database', 'internet'])}`)
  console.log(`    ${line('', targets)}`)
  for (const [at, who] of [...wanted.keys()].entries()) console.log(`    ${line(called(who), rows[at] ?? [])}`)
  for (const [at, [who, cells]] of [...wanted].entries())
    expect(`the row of ${called(who)} is as it should be`, rows[at]?.join() === cells.join())
})
