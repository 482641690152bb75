// The files that containers mount, word for word.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { parseResolvConf } from '../../lib/dns/resolv-conf.ts'
import { containerFiles, createNetwork } from '../../lib/index.ts'
import { suite } from '../support/suite.ts'
import { withNetwork } from './support/world.ts'

const test = suite('files of a container')

test('tell its own names, whom it asks, and what it is called', async () => {
  await withNetwork({ dns: { domain: 'lab.test', search: ['corp.test'], serve: false } }, async (lab) => {
    const web = await lab.attach({ name: 'web' })
    const attached = [{ network: lab, endpoint: web }]
    assert.equal(containerFiles({ attached }), {
      hosts: [
        '127.0.0.1\tlocalhost',
        '::1\tlocalhost ip6-localhost ip6-loopback',
        '10.9.0.2\tweb web.lab.test',
        'fd09::2\tweb web.lab.test',
        '',
      ].join('\n'),
      resolvConf: 'nameserver 10.9.0.1\nnameserver fd09::1\nsearch lab.test corp.test\n',
      hostname: 'web\n',
    })
    const chosen = containerFiles({
      attached,
      hostname: 'Front.Shop',
      extraHosts: { 'db.legacy': '192.0.2.7', six: '2001:db8::7' },
      servers: ['192.0.2.53'],
      search: [],
      options: ['ndots:0', 'timeout:2'],
    })
    assert.is(chosen.hostname, 'front.shop\n')
    assert.match(chosen.hosts, /\n10\.9\.0\.2\tfront\.shop web\.lab\.test web\n/)
    assert.match(chosen.hosts, /\n192\.0\.2\.7\tdb\.legacy\n2001:db8::7\tsix\n$/)
    assert.is(chosen.resolvConf, 'nameserver 192.0.2.53\noptions ndots:0 timeout:2\n')
  })
})

test('of one without names are the host’s, but for servers on its loopback', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'files-'))
  const path = join(folder, 'resolv.conf')
  await writeFile(
    path,
    '; the host\ndomain old.test\nsearch a.test b.test # two\nnameserver 127.0.0.53\nnameserver 192.0.2.53\noptions edns0\n',
  )
  const plain = await createNetwork({ name: 'plain', subnets: ['10.8.0.0/24'] })
  const web = await plain.attach({ name: 'web' })
  const { resolvConf } = containerFiles({ attached: [{ network: plain, endpoint: web }], resolvConf: path })
  assert.is(resolvConf, 'nameserver 192.0.2.53\nsearch a.test b.test\noptions edns0\n')
  await plain.delete({ force: true })
  await rm(folder, { recursive: true })
})

test('are read as glibc reads them', () => {
  assert.equal(
    parseResolvConf(
      'nameserver\t1.1.1.1 \n nameserver 9.9.9.9\nnameserver ::1\nnameserver x\nnameserver 2.2.2.2\nnameserver 3.3.3.3',
    ),
    {
      servers: ['1.1.1.1', '::1', '2.2.2.2'],
      search: [],
      options: [],
    },
  )
  assert.equal(parseResolvConf('search a b\ndomain c\noptions ndots:2 edns0\noptions rotate\n'), {
    servers: [],
    search: ['c'],
    options: ['ndots:2', 'edns0', 'rotate'],
  })
})

test.run()
