// What containers are called, asked with dig.

import { randomBytes } from 'node:crypto'
import * as assert from 'uvu/assert'
import { type AttachedEndpoint, createNetwork } from '../../lib/index.ts'
import { suite } from '../support/suite.ts'
import { type Digged, dig, noDig } from './support/dig.ts'
import { withNetwork } from './support/world.ts'

const at = '@10.9.0.1'
const six = '@fd09::1'

/** The same answer, but for its order. */
const sorted = ({ data }: Digged): string[] => [...data].sort()

{
  const test = suite('names of containers')
  const named = (title: string, body: () => Promise<void>): void => test.skipIf(noDig, title, body)

  named('are answered in both families, by both gateways, by UDP and TCP, in any case', async () => {
    await withNetwork({}, async (lab) => {
      const web = await lab.attach({ name: 'web' })
      await lab.attach({ name: 'Db' })
      for (const gateway of [at, six]) {
        for (const transport of ['+notcp', '+tcp']) {
          const four = await dig(web.netns, gateway, transport, 'db')
          assert.equal(four.data, ['10.9.0.3'])
          assert.is(four.byTcp, transport === '+tcp')
          assert.equal((await dig(web.netns, gateway, transport, 'DB', 'AAAA')).data, ['fd09::3'])
        }
      }
      const { status, flags, answers } = await dig(web.netns, at, 'dB')
      assert.is(status, 'NOERROR')
      assert.equal(flags, ['qr', 'aa', 'rd', 'ra'])
      assert.equal(answers, ['dB. 0 IN A 10.9.0.3'], 'with the letters that were asked for')
    })
  })

  named('have a domain, the name of the network, or nothing behind them', async () => {
    await withNetwork({ dns: { domain: 'Lab.Test.', ttl: 7 } }, async (lab) => {
      const web = await lab.attach({ name: 'web', aliases: ['www', 'api.shop.test'] })
      for (const name of ['web', 'web.lab', 'web.lab.test', 'www', 'www.lab.test', 'api.shop.test', 'api.shop.test.lab.test'])
        assert.equal((await dig(web.netns, at, name)).answers, [`${name}. 7 IN A 10.9.0.2`])
      assert.equal((await dig(web.netns, at, '-x', '10.9.0.2')).data, ['web.lab.test.'])
      assert.equal((await dig(web.netns, at, '-x', 'fd09::2')).data, ['web.lab.test.'])
    })
  })

  named('may be several for one container, short ids too, and one for several, in turns', async () => {
    await withNetwork({}, async (lab) => {
      const [id, other] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
      const one = await lab.attach({ name: id, aliases: ['app', other.toUpperCase()] })
      await lab.attach({ name: 'two', aliases: ['app'] })
      await lab.attach({ name: 'three', aliases: ['APP'] })
      assert.equal((await dig(one.netns, at, id.slice(0, 12))).data, ['10.9.0.2'])
      assert.equal((await dig(one.netns, at, other.slice(0, 12))).data, ['10.9.0.2'])
      for (const transport of ['+notcp', '+tcp']) {
        const firsts = new Set<string | undefined>()
        for (let asked = 0; asked < 6; asked++) {
          const answer = await dig(one.netns, at, transport, 'app')
          assert.equal(sorted(answer), ['10.9.0.2', '10.9.0.3', '10.9.0.4'])
          firsts.add(answer.data[0])
        }
        assert.is(firsts.size, 3, `each comes first at times (${transport})`)
      }
      await lab.detach('two')
      assert.equal(sorted(await dig(one.netns, at, 'app')), ['10.9.0.2', '10.9.0.4'])
    })
  })

  named('go with an address back, which of the subnet that nobody has is nobody’s', async () => {
    await withNetwork({}, async (lab) => {
      const web = await lab.attach({ name: 'web' })
      assert.equal((await dig(web.netns, at, '-x', '10.9.0.2')).answers, ['2.0.9.10.in-addr.arpa. 0 IN PTR web.lab.'])
      assert.equal((await dig(web.netns, six, '-x', 'fd09::2')).data, ['web.lab.'])
      assert.equal((await dig(web.netns, at, 'web.lab')).data, ['10.9.0.2'], 'and forth again')
      for (const [address, zone] of [
        ['10.9.0.77', '0.9.10.in-addr.arpa.'],
        ['fd09::77', '0.0.0.0.0.0.0.0.0.0.0.0.9.0.d.f.ip6.arpa.'],
      ] as const) {
        const { status, authorities } = await dig(web.netns, at, '-x', address)
        assert.is(status, 'NXDOMAIN')
        assert.is(authorities[0]?.split(' ')[0], zone)
      }
      // A front of addresses has names below it, so it is not absent.
      assert.is((await dig(web.netns, at, '0.9.10.in-addr.arpa', 'PTR')).status, 'NOERROR')
      assert.is((await dig(web.netns, at, '2.0.9.10.in-addr.arpa', 'A')).status, 'NOERROR')
    })
  })

  named('that are there without what is asked for are not absent (NODATA), with the authority to say so', async () => {
    await withNetwork({ subnets: ['10.9.0.0/24'], dns: { ttl: 9 } }, async (lab) => {
      const web = await lab.attach({ name: 'web' })
      for (const type of ['AAAA', 'MX', 'TXT', 'SRV', 'HTTPS', 'TYPE65400', 'NS', 'DS']) {
        const { status, answers, authorities, flags } = await dig(web.netns, at, 'web', type)
        assert.is(status, 'NOERROR', type)
        assert.equal(answers, [])
        assert.equal(authorities, ['web. 9 IN SOA web. nobody.invalid. 1 3600 1200 604800 9'])
        assert.ok(flags.includes('aa'))
      }
      assert.equal((await dig(web.netns, at, 'web', 'ANY', '+notcp')).data, ['"RFC8482" ""'])
    })
  })

  named('that nobody has below the domain are absent (NXDOMAIN), and the domain itself is there', async () => {
    await withNetwork({ dns: { domain: 'lab.test' } }, async (lab) => {
      const web = await lab.attach({ name: 'web' })
      const { status, authorities } = await dig(web.netns, at, 'nobody.lab.test')
      assert.is(status, 'NXDOMAIN')
      assert.equal(authorities, ['lab.test. 0 IN SOA lab.test. nobody.invalid. 1 3600 1200 604800 0'])
      assert.is((await dig(web.netns, at, 'lab.test')).status, 'NOERROR')
      assert.match((await dig(web.netns, at, 'lab.test', 'SOA')).data[0] ?? '', /^lab\.test\. nobody\.invalid\./)
    })
  })

  named('are told as they fit: cut with TC by UDP, whole by TCP', async () => {
    await withNetwork({}, async (lab) => {
      const names = Array.from({ length: 100 }, (_, one) => `c${one}`)
      const [first] = await lab.attachMany(names.map((name) => ({ name, aliases: ['all'] })))
      const { netns } = first as AttachedEndpoint
      for (const [size, most] of [
        ['+noedns', 512],
        ['+bufsize=512', 512],
        ['+bufsize=900', 900],
        ['+bufsize=4096', 1232],
      ] as const) {
        const { flags, answers, bytes } = await dig(netns, at, size, '+ignore', 'all')
        assert.ok(flags.includes('tc'), size)
        assert.ok(bytes <= most && bytes > most - 16 && answers.length > 20, `${size}: ${bytes} bytes, ${answers.length} answers`)
      }
      const whole = await dig(netns, at, 'all')
      assert.is(whole.answers.length, 100)
      assert.is(whole.byTcp, true, 'dig asks again by itself')
      assert.not.ok(whole.flags.includes('tc'))
      assert.is(new Set(whole.data).size, 100)
    })
  })

  named('are asked in the words of DNS; others are refused in them', async () => {
    await withNetwork({}, async (lab) => {
      const { netns } = await lab.attach({ name: 'web' })
      const status = async (...args: string[]): Promise<string> => (await dig(netns, at, ...args)).status
      assert.is(await status('+opcode=NOTIFY', 'web'), 'NOTIMP')
      assert.is(await status('+opcode=UPDATE', 'web'), 'NOTIMP')
      assert.is(await status('+opcode=STATUS', 'web'), 'NOTIMP')
      assert.is(await status('-c', 'CH', 'version.bind', 'TXT'), 'REFUSED')
      assert.is(await status('-c', 'HS', 'web', 'A'), 'REFUSED')
      assert.is(await status('+edns=1', '+noednsneg', 'web'), 'BADVERS')
      assert.is(await status('+header-only', '+noedns'), 'FORMERR')
      assert.is((await dig(netns, at, '+tcp', 'web', 'AXFR')).status, 'timeout')
      // What is understood does not change the answer.
      for (const words of [
        ['+dnssec'],
        ['+subnet=192.0.2.0/24'],
        ['+nsid'],
        ['+cookie'],
        ['+norecurse'],
        ['+cdflag'],
        ['+padding=128'],
        ['+ednsopt=65001:00ff'],
      ])
        assert.equal((await dig(netns, at, ...words, 'web')).data, ['10.9.0.2'], words.join(' '))
      assert.equal((await dig(netns, at, '+norecurse', 'web')).flags, ['qr', 'aa', 'ra'])
    })
  })

  named('are each network’s own', async () => {
    await withNetwork({}, async (lab) => {
      const other = await createNetwork({ name: 'other', subnets: ['10.8.0.0/24'], internal: true, dns: true })
      const web = await lab.attach({ name: 'web' })
      const db = await other.attach({ name: 'db' })
      assert.is((await dig(db.netns, '@10.8.0.1', 'web')).status, 'NXDOMAIN')
      assert.is((await dig(db.netns, '@10.8.0.1', 'web.lab')).status, 'NXDOMAIN')
      assert.is((await dig(web.netns, '@10.8.0.1', 'db')).status, 'timeout', 'nor is the other network’s resolver asked')
      assert.is((await dig(db.netns, at, 'web')).status, 'timeout')
      await other.delete({ force: true })
    })
  })

  named('of all networks that a container is in are told to it by each of them', async () => {
    await withNetwork({}, async (lab) => {
      const back = await createNetwork({ name: 'back', subnets: ['10.8.0.0/24'], internal: true, dns: true })
      const web = await lab.attach({ name: 'web' })
      const db = await back.attach({ name: 'db' })
      assert.is((await dig(web.netns, at, 'db.back')).status !== 'NOERROR', true)
      await using inBack = await back.attach({ name: 'web-in-back', netns: web.netns, ifname: 'eth1' })
      for (const name of ['db', 'db.back']) assert.equal((await dig(web.netns, at, name)).data, ['10.8.0.2'])
      assert.equal((await dig(web.netns, at, '-x', '10.8.0.2')).data, ['db.back.'])
      assert.equal((await dig(web.netns, '@10.8.0.1', 'web')).data, ['10.9.0.2'], 'from the other side, too')
      assert.is((await dig(db.netns, '@10.8.0.1', 'web')).status, 'NXDOMAIN', 'but not to a neighbor that is in one of them')
      await inBack.detach()
      assert.not.equal((await dig(web.netns, at, 'db')).data, ['10.8.0.2'])
      await back.delete({ force: true })
    })
  })

  test.run()
}
