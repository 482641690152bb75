// A network for a database: the database has no way out, and of all containers only one application reaches it, at port 3306 alone.
//
// Two things do that. The network is internal: nothing goes out of it or comes in. And a policy isolates who is in it from each other, but
// for what another one allows. Policies are changed at run time and act on every packet.

import { allow, createNetwork, deletePolicy, host, isolate, type Netns } from 'netlink-ct'
import { call, called, example, machine, webServer } from './support.ts'

await example('S17: a database network, open to one application at one port', async (play) => {
  const { step, look, expect, after } = play
  const internet = await machine(play, 'internet', {
    address: '203.0.113.9/24',
    hostIfname: 'wan0',
    hostAddress: '203.0.113.2/24',
  })
  await host.addRoute({ to: 'default', via: '203.0.113.9' })
  await webServer(play, internet, 'internet', 80)

  step(
    'An internal network for the data, and an ordinary one for the applications.',
    'docker network create --internal data; docker network create apps',
  )
  const data = await createNetwork({ name: 'data', subnets: ['172.30.0.0/24'], internal: true })
  after(() => data.delete({ force: true }))
  const apps = await createNetwork({ name: 'apps', subnets: ['172.18.0.0/16'] })
  after(() => apps.delete({ force: true }))

  step(
    'The database is in data only. Both applications are in apps, and with a second interface in data.',
    'docker run --network data --name db …; docker network connect data app1',
  )
  const db = call((await data.attach({ name: 'db', addresses: ['172.30.0.10/24'] })).netns, 'db')
  const join = async (name: string, address: string): Promise<Netns> => {
    const { netns } = await apps.attach({ name })
    await data.attach({ name, netns, ifname: 'eth1', addresses: [address] })
    return call(netns, name)
  }
  const app1 = await join('app1', '172.30.0.11/24')
  const app2 = await join('app2', '172.30.0.12/24')
  for (const port of [3306, 22]) await webServer(play, db, 'db', port)
  await webServer(play, app1, 'app1', 80)

  const ask = async (who: Netns, where: string, seconds: number): Promise<boolean> =>
    (await look(who, `curl --silent --show-error --connect-timeout ${seconds} http://${where}/`)).code === 0
  const passes = async (who: Netns, where: string): Promise<void> =>
    expect(`${called(who)} reaches ${where}`, await ask(who, where, 10))
  // Who is dropped hears nothing: a second will do to see that.
  const blocked = async (who: Netns, where: string): Promise<void> =>
    expect(`${called(who)} does not reach ${where}`, !(await ask(who, where, 1)))

  step('So far, everybody in data reaches everybody.')
  await passes(app2, '172.30.0.10:3306')

  step(
    'Nobody reaches anybody, but app1 the database.',
    'iptables -I FORWARD -i br-data -o br-data -j DROP   # with bridge-nf-call-iptables=1',
    'iptables -I FORWARD -s 172.30.0.11 -d 172.30.0.10 -p tcp --dport 3306 -j ACCEPT',
    'iptables -I FORWARD -i br-data -o br-data -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
  )
  await isolate({ name: 'data-closed', containers: 'data' })
  await allow({ name: 'app1-to-db', from: 'data/app1', to: 'data/db', ports: '3306' })
  await passes(app1, '172.30.0.10:3306')
  await blocked(app1, '172.30.0.10:22')
  await blocked(app2, '172.30.0.10:3306')
  await blocked(db, '172.30.0.11:80')

  step('The database has no way out, and the application has its own.')
  await look(db, 'ip route')
  await blocked(db, '203.0.113.9')
  await passes(app1, '203.0.113.9')

  step('Taken back, the permission ends.')
  await deletePolicy('app1-to-db')
  await blocked(app1, '172.30.0.10:3306')
})
