// Who may ask for a port: what others send reaches nobody, and what was limited goes with the port. Packets are the matrix's matter, but
// for what it has no place for: a process of the host behind the port.

import { once } from 'node:events'
import { createServer } from 'node:net'
import * as assert from 'uvu/assert'
import { createNetwork, exposedPorts, type Network, openNetwork } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type City, createCity } from './matrix/city.ts'
import { type Resident, settle, type Target } from './matrix/resident.ts'
import { attachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { elementsShown, linkShown } from './support/witness.ts'

const sets = ['limited4', 'limited4_at', 'limited6', 'limited6_at', 'allowed4', 'allowed4_at', 'allowed6', 'allowed6_at'] as const
const lan = '192.0.2.0/24'

/** A process of the host that comes later than the port. */
async function settleOn(port: number): Promise<() => Promise<void>> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(JSON.stringify({ server: 'late', peer: '' }))
  })
  await once(server.listen(port, '0.0.0.0'), 'listening')
  return async () => {
    const closed = once(server, 'close')
    server.close()
    await closed
  }
}

async function limits(): Promise<Record<string, string[]>> {
  const shown = await Promise.all(sets.map(async (set) => [set, await elementsShown(set)] as const))
  return Object.fromEntries(shown.filter(([, elements]) => elements.length > 0))
}

{
  const test = suite('sources of a port')
  let lab: Network
  test.before.each(async () => {
    lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'] })
  })
  test.after.each(async () => {
    await lab.delete({ force: true })
    await sweep()
  })

  test('stand in the table, once each, and in the alias; what is open to all has nothing there', async () => {
    const web = await lab.attach({
      name: 'web',
      publish: [
        '8080:80',
        { hostPort: 8081, containerPort: 80, from: ['192.0.2.7', lan, '198.51.100.0/24', '2001:db8::/32', lan] },
        `192.0.2.1:53:53/udp?from=${lan}`,
      ],
    })
    const owner = 'comment lab/web'
    const all = {
      limited4: [`tcp . 8081 ${owner}`],
      limited4_at: [`192.0.2.1 . udp . 53 ${owner}`],
      limited6: [`tcp . 8081 ${owner}`],
      allowed4: [`tcp . 8081 . 192.0.2.0/24 ${owner}`, `tcp . 8081 . 198.51.100.0/24 ${owner}`],
      allowed4_at: [`192.0.2.1 . udp . 53 . 192.0.2.0/24 ${owner}`],
      allowed6: [`tcp . 8081 . 2001:db8::/32 ${owner}`],
    }
    assert.equal(await limits(), all)
    const alias = `8080:80 ?from=${lan} 192.0.2.1:53:53/udp ?from=${lan},198.51.100.0/24,2001:db8::/32 8081:80`
    assert.is((await linkShown(web.hostIfname))?.ifalias, `netlink-ct/1 endpoint web ${alias}`)
    const found = await (await openNetwork('lab')).endpoint('web')
    const limited = found.ports.find(({ hostPort }) => hostPort === 8081)
    assert.equal(limited?.from, [lan, '198.51.100.0/24', '2001:db8::/32'])
    assert.equal(
      (await exposedPorts()).map(({ family, hostPort, from }) => [family, hostPort, from]),
      [
        ['inet', 53, [lan]],
        ['inet', 8080, 'everyone'],
        ['inet6', 8080, 'everyone'],
        ['inet', 8081, [lan, '198.51.100.0/24']],
        ['inet6', 8081, ['2001:db8::/32']],
      ],
    )
    // As another process knows it.
    await found.unpublish(['8081:80', '53/udp', '192.0.2.1::53/udp'])
    assert.equal(await limits(), {})
    assert.equal(await elementsShown('ports4'), ['tcp . 8080 comment lab/web : 10.9.0.2 . 80'])
    await output('nft', ['delete', 'table', 'inet', 'netlink-ct'])
    await found.unpublish('8081:80')
    assert.equal(
      found.ports.map(({ hostPort }) => hostPort),
      [8080],
    )
    await found.publish(`8081:80?from=${lan}`)
    assert.equal((await limits())['allowed4'], [`tcp . 8081 . ${lan} ${owner}`])
    await web.detach()
    assert.equal(await limits(), {})
    assert.equal(await elementsShown('ports4'), [])
  })

  test('are a part of the port: the same again is nothing new, others are refused', async () => {
    const web = await lab.attach({ name: 'web', publish: [`8080:80?from=${lan}`] })
    await web.publish({ hostPort: 8080, containerPort: 80, from: [lan, '192.0.2.128/25'] })
    for (const other of ['8080:80', '8080:80?from=192.0.2.0/25']) {
      const failure = await failureOf(() => web.publish(other))
      assert.match(failure.message, /'web' publishes 8080\/tcp already, as its port 80, for 192\.0\.2\.0\/24/)
    }
    const taken = await failureOf(() => lab.attach({ name: 'b', publish: [`8079:80?from=${lan}`, '8080:80'] }))
    assert.match(taken.message, /8080\/tcp is published by lab\/web/)
    assert.equal((await limits())['limited4'], ['tcp . 8080 comment lab/web'])
  })

  test('of a dead container go with its port, whoever takes that, and with its address', async () => {
    for (const next of [
      { publish: ['8080:80'], addresses: ['10.9.0.77/24'] },
      { addresses: ['10.9.0.66/24', 'fd00:9::66/64'] },
    ]) {
      const addresses = ['10.9.0.66/24', 'fd00:9::66/64']
      const publish = [`8080:80?from=${lan},2001:db8::/32`, `127.0.0.1:53:53/udp?from=${lan}`]
      const dead = await attachElsewhere('lab', { name: 'dead', addresses, publish })
      await dead.kill()
      await until('the device is gone', async () => (await linkShown(dead.endpoints[0]?.hostIfname ?? '')) === undefined)
      assert.is(Object.keys(await limits()).length, 6)
      const web = await lab.attach({ name: 'web', ...next })
      const left = await limits()
      if (next.publish === undefined) assert.equal(left, {})
      else assert.equal(Object.keys(left), ['limited4_at', 'allowed4_at'])
      await web.detach()
      await lab.attach({ name: 'last', addresses })
      await lab.detach('last')
      assert.equal(await limits(), {})
    }
  })

  test.run()
}

{
  const test = suite('a limited port before a process of the host')
  let city: City
  test.before(async () => {
    city = await createCity()
  })
  test.after(async () => {
    await city[Symbol.asyncDispose]()
    await sweep()
  })

  test('is closed to others, who do not reach that process either', async () => {
    const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
    const web = await lab.attach({ name: 'web' })
    const resident = await settle('web', { path: web.netns.path })
    try {
      const ask = async (who: string, target: Target): Promise<string | undefined> => {
        const from = city.residents.get(who) as Resident
        return (await from.ask(target, 2_000))?.server
      }
      const onHost = (place: string, port = 80): Target => ({
        protocol: 'tcp',
        address: city.hostAddress(place, 'ipv4'),
        port,
      })
      assert.is(await ask('internet', onHost('internet')), 'host')
      await web.publish(`8080:80?from=${lan}`)
      assert.is(await ask('lan', onHost('lan', 8080)), 'web')
      assert.is(await ask('lan', onHost('internet', 8080)), 'web')
      const late = await settleOn(8080)
      try {
        assert.is(await ask('internet', onHost('internet', 8080)), undefined)
        assert.is(await ask('neighbor', { protocol: 'tcp', address: '192.0.3.1', port: 8080 }), undefined)
        assert.is(await ask('lan', onHost('lan', 8080)), 'web')
        await web.unpublish('80')
        assert.is(await ask('internet', onHost('internet', 8080)), 'late')
      } finally {
        await late()
      }
    } finally {
      await resident[Symbol.asyncDispose]()
      await lab.delete({ force: true })
    }
  })

  test.run()
}
