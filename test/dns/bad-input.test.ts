// What is refused of names, before any system call, and what the message says.

import * as assert from 'uvu/assert'
import {
  type AttachSpec,
  type ContainerFilesSpec,
  containerFiles,
  createNetwork,
  type NetworkSpec,
  openNetwork,
  type ServeOptions,
  serveDns,
} from '../../lib/index.ts'
import { sweep } from '../network/support/sweep.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { withNetwork } from './support/world.ts'

const test = suite('bad input for names')
test.after.each(sweep)

type Refused = readonly [options: object, code: string, message: RegExp]

async function refuses(what: string, table: readonly Refused[], call: (options: object) => unknown): Promise<void> {
  for (const [options, code, message] of table) {
    const failure = await failureOf(async () => call(options))
    assert.is(failure.code, code, `${what} ${JSON.stringify(options)}: ${failure.message}`)
    assert.match(failure.message, message)
  }
}

test('createNetwork names what is wrong with its dns', async () => {
  const value = 'ERR_INVALID_ARG_VALUE'
  const type = 'ERR_INVALID_ARG_TYPE'
  const table: Refused[] = [
    [{ dns: 'yes' }, type, /^dns must be a boolean or an object/],
    [{ dns: [] }, type, /^dns must be an object/],
    [{ dns: { server: [] } }, value, /^dns: 'server' is unknown; did you mean 'servers'\?/],
    [{ dns: { servers: [] } }, value, /^dns\.servers must name a server/],
    [{ dns: { servers: '192.0.2.1' } }, type, /^dns\.servers must be an array/],
    [{ dns: { servers: ['one.one'] } }, value, /^dns\.servers\[0\] must be an address/],
    [{ dns: { servers: ['192.0.2.1:0'] } }, value, /^dns\.servers\[0\] has no such port/],
    [{ dns: { servers: ['192.0.2.1:65536'] } }, value, /has no such port/],
    [{ dns: { servers: ['[2001:db8::1'] } }, value, /^dns\.servers\[0\] must be an address/],
    [{ dns: { servers: ['192.0.2.1'] }, internal: true }, value, /^dns\.servers makes no sense for an internal network/],
    [{ dns: { domain: '' } }, value, /^dns\.domain must be a domain/],
    [{ dns: { domain: 'a..b' } }, value, /^dns\.domain must be a domain/],
    [{ dns: { domain: 'a b' } }, value, /^dns\.domain must be a domain/],
    [{ dns: { domain: `${'x'.repeat(64)}.test` } }, value, /^dns\.domain must be a domain/],
    [{ dns: { search: ['ok.test', 'no;t'] } }, value, /^dns\.search\[1\] must be a domain/],
    [{ dns: { ttl: -1 } }, 'ERR_OUT_OF_RANGE', /^dns\.ttl must be from 0 to 2147483647/],
    [{ dns: { ttl: 1.5 } }, type, /^dns\.ttl must be an integer/],
    [{ dns: { serve: 1 } }, type, /^dns\.serve must be a boolean/],
    [
      { dns: { search: Array.from({ length: 12 }, (_, at) => `some-rather-long-domain-${at}.example.org`) } },
      'ERR_OUT_OF_RANGE',
      /take \d+ characters to remember, the kernel keeps 255: .*name fewer DNS servers and domains/,
    ],
    [
      { dns: true, driver: 'macvlan', parent: 'eth0', subnets: ['192.0.2.0/24'] },
      value,
      /^dns \(driver macvlan\) is answered on a gateway/,
    ],
  ]
  await refuses('createNetwork', table, (options) => createNetwork({ name: 'lab', ...options } as NetworkSpec))
})

test('attach names what is wrong with its aliases', async () => {
  await withNetwork({ subnets: ['10.9.0.0/24'] }, async (lab) => {
    const table: Refused[] = [
      [{ aliases: 'db' }, 'ERR_INVALID_ARG_TYPE', /^aliases must be an array/],
      [{ aliases: [5] }, 'ERR_INVALID_ARG_TYPE', /^aliases\[0\] must be a string/],
      [{ aliases: ['db', 'd b'] }, 'ERR_INVALID_ARG_VALUE', /^aliases\[1\] must be a domain/],
      [{ aliases: ['10.9.0.7'] }, 'ERR_INVALID_ARG_VALUE', /^aliases\[0\] is an address/],
      [{ aliases: ['x'.repeat(64)] }, 'ERR_INVALID_ARG_VALUE', /^aliases\[0\] must be a domain/],
      [
        { aliases: Array.from({ length: 40 }, (_, at) => `alias-${at}`) },
        'ERR_OUT_OF_RANGE',
        /^the published ports and aliases of 'web' take .*: publish ranges, shorten the aliases/,
      ],
    ]
    await refuses('attach', table, (options) => lab.attach({ name: 'web', ...options } as AttachSpec))
    assert.equal(await lab.endpoints(), [])
    const plain = await createNetwork({ name: 'plain', subnets: ['10.8.0.0/24'] })
    await refuses('attach', [[{ aliases: ['db'] }, 'ERR_INVALID_ARG_VALUE', /^aliases needs a network with names/]], (options) =>
      plain.attach({ name: 'web', ...options } as AttachSpec),
    )
    assert.is((await failureOf(serveDns(plain))).code, 'DNS_OFF')
    await plain.delete()
  })
})

test('serveDns and containerFiles name what is wrong with their options', async () => {
  await withNetwork({ subnets: ['10.9.0.0/24'], dns: { serve: false } }, async (lab) => {
    const type = 'ERR_INVALID_ARG_TYPE'
    assert.is((await failureOf(serveDns('lab' as never))).code, type)
    const options: Refused[] = [
      [{ resolvConf: 5 }, type, /^options\.resolvConf must be a path/],
      [{ persistent: 'no' }, type, /^options\.persistent must be a boolean/],
      [{ timeout: 0 }, 'ERR_OUT_OF_RANGE', /^options\.timeout must be from 1/],
      [{ pendingeach: 5 }, 'ERR_INVALID_ARG_VALUE', /did you mean 'pendingEach'\?/],
    ]
    await refuses('serveDns', options, (one) => serveDns(lab, one as ServeOptions))
    const web = await lab.attach({ name: 'web' })
    const attached = [{ network: lab, endpoint: web }]
    const specs: Refused[] = [
      [{}, type, /^spec\.attached must be an array/],
      [{ attached: [] }, 'ERR_INVALID_ARG_VALUE', /^spec\.attached must name a network/],
      [{ attached: [{ network: 'lab', endpoint: web }] }, type, /^spec\.attached\[0\]\.network must be a Network/],
      [{ attached: [{ network: lab, endpoint: {} }] }, type, /^spec\.attached\[0\]\.endpoint must be an Endpoint/],
      [{ attached, hostname: 'a b' }, 'ERR_INVALID_ARG_VALUE', /^spec\.hostname must be a domain/],
      [{ attached, extraHosts: ['a'] }, type, /^spec\.extraHosts must be an object/],
      [
        { attached, extraHosts: { 'a\nb': '192.0.2.1' } },
        'ERR_INVALID_ARG_VALUE',
        /^spec\.extraHosts\['a\nb'\] must be a domain/,
      ],
      [{ attached, extraHosts: { a: 'b' } }, type, /must be an address/],
      [{ attached, servers: ['a'] }, type, /^spec\.servers\[0\] must be an address/],
      [{ attached, options: ['ndots:0\nnameserver 192.0.2.1'] }, type, /^spec\.options\[0\] must be a word/],
      [{ attached, host: 'web' }, 'ERR_INVALID_ARG_VALUE', /^spec: 'host' is unknown/],
    ]
    await refuses('containerFiles', specs, (one) => containerFiles(one as ContainerFilesSpec))
    const other = await createNetwork({ name: 'other', subnets: ['10.8.0.0/24'] })
    const mixed = { attached: [{ network: other, endpoint: web }] }
    await refuses('containerFiles', [[mixed, 'ERR_INVALID_ARG_VALUE', /must be of the network 'other'/]], (one) =>
      containerFiles(one as ContainerFilesSpec),
    )
    await other.delete()
    await (await openNetwork('lab')).detach('web')
  })
})

test('a network that is there with other names differs', async () => {
  const spec = { name: 'lab', subnets: ['10.9.0.0/24'] } as const
  const lab = await createNetwork({ ...spec, dns: { ttl: 5, serve: false } })
  await createNetwork({ ...spec, dns: { ttl: 5, serve: false } })
  for (const dns of [undefined, true, { ttl: 6 }, { ttl: 5, domain: 'lab.test' }]) {
    const failure = await failureOf(createNetwork({ ...spec, ...(dns === undefined ? {} : { dns }) }))
    assert.is(failure.code, 'NETWORK_DIFFERS')
    assert.match(failure.message, /with dns \{.*"ttl":5/)
  }
  await lab.delete()
})

test.run()
