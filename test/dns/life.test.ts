// Names as containers, networks and processes come and go.

import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { createNetns, createNetwork, gc, type Network, openNetns, openNetwork, repair, serveDns } from '../../lib/index.ts'
import { libraryUrl } from '../network/support/library.ts'
import { attachElsewhere, detachElsewhere } from '../network/support/processes.ts'
import { sweep } from '../network/support/sweep.ts'
import { elementsShown, linkShown } from '../network/support/witness.ts'
import { spawnIn } from '../support/command.ts'
import { failureOf } from '../support/failure.ts'
import { createLab, output } from '../support/lab.ts'
import { nodeWithin, runProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { dig, noDig } from './support/dig.ts'
import { withNetwork } from './support/world.ts'

const at = '@10.9.0.1'

/** A process that runs the text of a module until it is killed; it has said `ready`. */
async function elsewhere(source: string): Promise<{ readonly kill: () => Promise<void>; readonly next: () => Promise<string> }> {
  const text = `import * as ct from ${JSON.stringify(libraryUrl)}\n${source}`
  const [command = '', ...args] = nodeWithin([], ['--import', 'tsx', '--input-type=module', '-e', text])
  const child = spawnIn(undefined, command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'close')
  let heard = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk))
  const next = async (): Promise<string> => {
    await until('the other process says something', () => heard.includes('\n') || child.exitCode !== null)
    const [line = '', ...rest] = heard.split('\n')
    heard = rest.join('\n')
    return line
  }
  return {
    next,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

{
  const test = suite('names in the course of time')
  const named = (title: string, body: () => Promise<void>): void => test.skipIf(noDig, title, body)

  named('are there when attach returns and gone when detach returns, round after round', async () => {
    await withNetwork({}, async (lab) => {
      const asker = await lab.attach({ name: 'asker' })
      for (let round = 0; round < 12; round++) {
        const name = `c${round % 3}`
        const made = await lab.attach({ name, aliases: ['both'] })
        const [address = ''] = made.addresses[0]?.split('/') ?? []
        assert.equal((await dig(asker.netns, at, name)).data, [address])
        assert.equal((await dig(asker.netns, at, 'both')).data, [address])
        await made.detach()
        assert.not.equal((await dig(asker.netns, at, '+notcp', `${name}.lab`)).status, 'NOERROR')
        assert.is((await dig(asker.netns, at, '-x', address)).status, 'NXDOMAIN')
      }
    })
  })

  named('come and go with whatever object of the network they were attached by', async () => {
    await withNetwork({}, async (lab) => {
      const asker = await lab.attach({ name: 'asker' })
      const same = await openNetwork('lab')
      assert.equal(same.dns, lab.dns)
      const web = await same.attach({ name: 'web', aliases: ['www'] })
      assert.equal(web.aliases, ['www'])
      assert.equal((await lab.endpoint('web')).aliases, ['www'])
      assert.equal((await dig(asker.netns, at, 'www')).data, ['10.9.0.3'])
      await lab.detach('web')
      assert.is((await dig(asker.netns, at, '-x', '10.9.0.3')).status, 'NXDOMAIN')
    })
  })

  named('of other processes follow the kernel, also when they are killed and nothing is detached', async () => {
    await withNetwork({}, async (lab) => {
      const asker = await lab.attach({ name: 'asker' })
      const other = await attachElsewhere('lab', { name: 'far', aliases: ['away'] }, { name: 'near' })
      await until('both names are there', async () => {
        const [far, near] = [await dig(asker.netns, at, 'away'), await dig(asker.netns, at, 'near')]
        return far.data[0] === '10.9.0.3' && near.data[0] === '10.9.0.4'
      })
      await detachElsewhere('lab', 'near')
      await until('one is gone', async () => (await dig(asker.netns, at, '-x', '10.9.0.4')).status === 'NXDOMAIN')
      assert.equal((await dig(asker.netns, at, 'far')).data, ['10.9.0.3'])
      await other.kill()
      await until('the dead have no name', async () => (await dig(asker.netns, at, '-x', '10.9.0.3')).status === 'NXDOMAIN')
    })
  })

  named('are served by one process; by another when that is gone', async () => {
    // The loopback is up: whoever serves can be asked.
    await using _ = await createLab()
    const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'], dns: { serve: false } })
    try {
      const web = await lab.attach({ name: 'web' })
      assert.is((await dig(web.netns, at, 'web')).status, 'refused')
      const first = await elsewhere(`
        const network = await ct.openNetwork('lab')
        const server = await ct.serveDns(network)
        console.log(server.addresses.join())`)
      assert.is(await first.next(), '10.9.0.1:53')
      assert.equal((await dig(web.netns, at, 'web')).data, ['10.9.0.2'], 'whom it did not attach')
      assert.is((await failureOf(serveDns(lab))).code, 'DNS_SERVED')
      // The names are answered, by whomever: that is all that is wanted.
      await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'], dns: true })
      assert.is((await failureOf(serveDns(lab))).code, 'DNS_SERVED')
      await first.kill()
      assert.is((await dig(web.netns, at, 'web')).status, 'refused')
      {
        await using server = await serveDns(lab)
        assert.equal(server.addresses, ['10.9.0.1:53'])
        assert.equal((await dig(web.netns, at, 'web')).data, ['10.9.0.2'])
        assert.is((await failureOf(serveDns(lab))).code, 'DNS_SERVED')
        assert.is(server.stats().queries, 1)
      }
      assert.is((await dig(web.netns, at, 'web')).status, 'refused')
      await lab.delete({ force: true })
    } catch (error) {
      await sweep()
      throw error
    }
  })

  named('end with the network, also when its bridge is deleted by hand', async () => {
    const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'], dns: true })
    await output('ip', ['link', 'delete', 'br-lab'])
    await until('nobody listens', async () => !/10\.9\.0\.1:53/.test(await output('ss', ['-Hlnu'])))
    await gc()
    await using again = await deleted(await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'], dns: true }))
    const web = await again.network.attach({ name: 'web' })
    assert.equal((await dig(web.netns, at, 'web')).data, ['10.9.0.2'])
    assert.is(lab.name, 'lab')
  })

  named('are not kept alive for by a network, and are by serveDns', async () => {
    const { code, stdout, stderr } = await runProgram(`
      const lab = await ct.createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'], dns: true })
      console.log(lab.dns.port)`)
    assert.equal([code, stdout], [0, '53\n'], stderr)
    const other = await elsewhere(`
      await ct.serveDns(await ct.openNetwork('lab'))
      process.on('beforeExit', () => console.log('idle'))
      console.log('serves')
      setTimeout(() => console.log('still'), 200).unref()`)
    assert.equal([await other.next(), await other.next()], ['serves', 'still'])
    await other.kill()
    await (await openNetwork('lab')).delete()
  })

  named('of a container in a namespace of its own are as those of others', async () => {
    await withNetwork({ driver: 'ptp' }, async (lab) => {
      await using box = await createNetns()
      await lab.attach({ name: 'a', netns: box })
      await lab.attach({ name: 'b' })
      assert.equal((await dig(box, at, 'b')).data, ['10.9.0.3'])
      assert.equal((await dig(box, '@fd09::1', '+tcp', 'a.lab', 'AAAA')).data, ['fd09::2'])
      await lab.detach('a')
    })
  })

  test.run()
}

const deleted = async (network: Network): Promise<AsyncDisposable & { readonly network: Network }> => ({
  network,
  [Symbol.asyncDispose]: () => network.delete({ force: true }),
})

{
  const test = suite('the resolver of a network')
  const named = (title: string, body: () => Promise<void>): void => test.skipIf(noDig, title, body)

  named('is asked by containers of the network and the host, and by nobody else', async () => {
    await using lab = await createLab()
    await withNetwork({ name: 'own', subnets: ['10.9.0.0/24'] }, async (network) => {
      const web = await network.attach({ name: 'web' })
      const inner = await createNetwork({ name: 'inner', subnets: ['10.8.0.0/24'], internal: true, dns: true })
      const db = await inner.attach({ name: 'db' })
      const other = await createNetwork({ name: 'other', subnets: ['10.7.0.0/24'] })
      const stranger = await other.attach({ name: 'stranger' })
      await lab.routeFromLan('10.0.0.0/8')
      assert.equal((await dig(db.netns, '@10.8.0.1', 'db')).data, ['10.8.0.2'], 'an internal network, too')
      assert.equal((await dig(db.netns, '@10.8.0.1', '+tcp', 'db')).data, ['10.8.0.2'])
      assert.equal((await dig(undefined, at, 'web')).data, ['10.9.0.2'])
      for (const who of ['lan', 'internet', stranger.netns, db.netns])
        for (const transport of ['+notcp', '+tcp'])
          assert.is((await dig(who, at, '+timeout=1', transport, 'web')).status, 'timeout', `${transport} by ${String(who)}`)
      // With a container's address, from the wrong side.
      await output('ip', ['address', 'add', '10.9.0.2/32', 'dev', 'eth0'], { netns: 'lan' })
      assert.is((await dig('lan', at, '-b', '10.9.0.2', '+timeout=1', 'web')).status, 'timeout')
      assert.equal((await dig(web.netns, at, 'web')).data, ['10.9.0.2'])
      await inner.delete({ force: true })
      await other.delete({ force: true })
    })
  })

  named('is at another port where 53 is taken, and containers do not notice', async () => {
    await using _ = await createLab()
    const host = await openNetns({ pid: process.pid })
    await using blocker = await host.bindUdp({ address: '0.0.0.0', port: 53 }).then((socket) => ({
      [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(resolve)),
    }))
    await withNetwork({}, async (lab) => {
      const web = await lab.attach({ name: 'web' })
      assert.not.equal(lab.dns?.port, 53)
      assert.equal((await openNetwork('lab')).dns, lab.dns, 'and the kernel remembers')
      const led = await elementsShown('resolvers4')
      assert.ok(led.every((element) => element.endsWith(` : 10.9.0.1 . ${lab.dns?.port}`)) && led.length === 2, led.join('\n'))
      const check = async (): Promise<void> => {
        for (const gateway of [at, '@fd09::1'])
          for (const transport of ['+notcp', '+tcp'])
            assert.equal((await dig(web.netns, gateway, transport, 'web')).data, ['10.9.0.2'], `${gateway} ${transport}`)
      }
      await check()
      await output('nft', ['flush', 'ruleset'])
      await repair()
      await check()
      assert.equal((await lab.check()).length, 0)
      const other = await createNetwork({ name: 'other', subnets: ['10.7.0.0/24'], driver: 'ptp', dns: true })
      const c = await other.attach({ name: 'c' })
      assert.equal((await dig(c.netns, '@10.7.0.1', 'c')).data, ['10.7.0.2'], 'point to point, too')
      // Who takes it over finds the port in the kernel, asks who listens there, and leaves it alone.
      assert.is((await failureOf(serveDns(await openNetwork('other')))).code, 'DNS_SERVED')
      const { stdout } = await runProgram(`
        console.log(await ct.serveDns(await ct.openNetwork('other')).catch((error) => error.code))`)
      assert.is(stdout, 'DNS_SERVED\n')
      await other.delete({ force: true })
      void blocker
    })
    await host.close()
  })

  named('is on a bridge that was there before as on another, wherever it listens', async () => {
    await using _ = await createLab()
    const commands = ['link add br0 type bridge', 'link set br0 address 02:00:00:00:00:77', 'link set br0 up']
    await output('ip', ['-batch', '-'], { input: [...commands, 'address add 10.9.0.1/24 dev br0'].join('\n') })
    const names = async (): Promise<readonly string[]> => (await linkShown('br0'))?.altnames ?? []
    assert.equal(await names(), [])
    const host = await openNetns({ pid: process.pid })
    const blocker = await host.bindUdp({ port: 53 })
    const spec = {
      name: 'lab',
      bridge: { existing: 'br0' },
      dns: { domain: 'lab.test', ttl: 5, search: ['a.test', 'b.test'] },
    } as const
    const lab = await createNetwork(spec)
    const web = await lab.attach({ name: 'web', aliases: ['www'] })
    assert.not.equal(lab.dns?.port, 53)
    assert.equal((await openNetwork('lab')).dns, lab.dns)
    assert.equal((await dig(web.netns, at, 'www.lab.test')).data, ['10.9.0.2'])
    assert.equal(await lab.check(), [])
    await lab.delete({ force: true })
    assert.equal(await names(), [], 'and nothing of it is left')
    await new Promise<void>((resolve) => blocker.close(resolve))
    await host.close()
    await output('ip', ['link', 'delete', 'br0'])
  })

  named('is not answered for by a container that publishes port 53 of the host', async () => {
    await using _ = await createLab()
    const other = await createNetwork({ name: 'other', subnets: ['10.7.0.0/24'] })
    await other.attach({ name: 'hole', publish: ['53:53/udp', '53:53/tcp'] })
    await withNetwork({ subnets: ['10.9.0.0/24'] }, async (lab) => {
      const web = await lab.attach({ name: 'web' })
      for (const transport of ['+notcp', '+tcp'])
        assert.equal((await dig(web.netns, at, transport, 'web')).data, ['10.9.0.2'], transport)
    })
    await other.delete({ force: true })
  })

  named('leaves no socket, watch or name behind, however often', async () => {
    const sockets = async (): Promise<string> => output('ss', ['-Hlntu'])
    const before = await sockets()
    for (let round = 0; round < 5; round++) {
      await withNetwork({}, async (lab) => {
        await lab.attachMany([{ name: 'a' }, { name: 'b' }])
      })
    }
    assert.is(await sockets(), before)
  })

  test.run()
}
