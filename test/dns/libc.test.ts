// Names as programs ask for them: through glibc, through musl, through busybox, with a mounted resolv.conf.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { containerFiles, createNetwork, type Endpoint, type Network, openNetns, serveDns } from '../../lib/index.ts'
import { type Outcome, output, run } from '../support/command.ts'
import { serve } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { addresses, fakeServer } from './support/fake-server.ts'
import { withNetwork } from './support/world.ts'

const lacks = async (command: string, ...args: string[]): Promise<string | false> =>
  (await run(command, args).catch(() => undefined)) === undefined && `${command} is not installed`

const noBusybox = await lacks('busybox', 'true')
const noMusl = await lacks('musl-gcc', '--version')

const folder = await mkdtemp(join(tmpdir(), 'names-'))

/** Runs a command in a container's network, with its files mounted. */
async function within(
  network: Network,
  endpoint: Endpoint,
  command: readonly string[],
  more: readonly Parameters<typeof containerFiles>[0]['attached'][number][] = [],
): Promise<Outcome> {
  const files = containerFiles({ attached: [{ network, endpoint }, ...more] })
  await writeFile(join(folder, 'hosts'), files.hosts)
  await writeFile(join(folder, 'resolv.conf'), files.resolvConf)
  const mounts = ['hosts', 'resolv.conf'].map((file) => `mount --bind ${folder}/${file} /etc/${file}`).join(' && ')
  const script = `${mounts} && exec "$@"`
  const path = endpoint.netns?.path ?? ''
  return run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...command], { netns: { path } })
}

const musl = join(folder, 'resolve')
const source = `
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int argc, char** argv) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;
  int failure = getaddrinfo(argv[1], 0, &hints, &all);
  if (failure) return printf("%s\\n", gai_strerror(failure)), 2;
  for (struct addrinfo* one = all; one; one = one->ai_next) {
    char text[64];
    getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST);
    printf("%s\\n", text);
  }
  for (struct addrinfo* one = all; one && argc > 2; one = one->ai_next) {
    char text[256];
    if (!getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, 0, 0, NI_NAMEREQD)) printf("%s\\n", text);
  }
}`

const test = suite('names in programs')

test.before(async () => {
  if (noMusl) return
  await writeFile(`${musl}.c`, source)
  await output('musl-gcc', ['-static', '-O1', '-o', musl, `${musl}.c`])
})
test.after(async () => {
  await rm(folder, { recursive: true })
})

/** Name resolution of a kind: the addresses of a name, or undefined when it has none, in so many milliseconds. */
type Resolve = (network: Network, endpoint: Endpoint, name: string) => Promise<readonly string[] | undefined>

const byGlibc: Resolve = async (network, endpoint, name) => {
  const { code, stdout } = await within(network, endpoint, ['getent', 'ahosts', name])
  if (code !== 0) return undefined
  return [
    ...new Set(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)[0] ?? ''),
    ),
  ].sort()
}

const byMusl: Resolve = async (network, endpoint, name) => {
  const { code, stdout } = await within(network, endpoint, [musl, name])
  return code === 0 ? stdout.trim().split('\n').sort() : undefined
}

const byBusybox: Resolve = async (network, endpoint, name) => {
  const { stdout } = await within(network, endpoint, ['busybox', 'nslookup', name])
  const found = [...stdout.matchAll(/^Name:.*\nAddress: (.*)$/gm)].map(([, address = '']) => address)
  return found.length === 0 ? undefined : [...new Set(found)].sort()
}

for (const [who, resolve, why] of [
  ['glibc', byGlibc, false],
  ['musl', byMusl, noMusl],
  ['busybox', byBusybox, noBusybox],
] as const) {
  test.skipIf(why, `are found by ${who}: of both families, aliases, with and without a domain, many of one name`, async () => {
    await withNetwork({ dns: { domain: 'lab.test', serve: false } }, async (lab) => {
      await using server = await serveDns(lab, { resolvConf: '/nowhere', persistent: false })
      const web = await lab.attach({ name: 'web' })
      await lab.attach({ name: 'db', aliases: ['sql'] })
      for (const name of ['db', 'sql', 'db.lab', 'db.lab.test', 'DB'])
        assert.equal(await resolve(lab, web, name), ['10.9.0.3', 'fd09::3'], name)
      assert.is(await resolve(lab, web, 'nobody.lab.test'), undefined)
      await lab.attachMany(Array.from({ length: 60 }, (_, at) => ({ name: `m${at}`, aliases: ['many'] })))
      const many = (await resolve(lab, web, 'many')) ?? []
      // More than fit into 512 bytes: musl of before 1.2.4 does not ask by TCP, and takes those that came.
      assert.ok(many.length >= (who === 'glibc' ? 120 : 40), `${many.length} addresses`)
      assert.ok(server.stats().queries > 0)
    })
  })

  test.skipIf(
    why,
    `are found by ${who} without IPv6, and what is missing is known at once, in an internal network, too`,
    async () => {
      await withNetwork({ subnets: ['10.9.0.0/24'], internal: true }, async (lab) => {
        const web = await lab.attach({ name: 'web' })
        await lab.attach({ name: 'db' })
        assert.equal(await resolve(lab, web, 'db'), ['10.9.0.3'])
        for (const name of ['nobody', 'example.org']) {
          const begin = performance.now()
          assert.is(await resolve(lab, web, name), undefined)
          assert.ok(performance.now() - begin < 4000, `${name} took ${performance.now() - begin} ms`)
        }
      })
    },
  )
}

test.skipIf(noMusl, 'go back from addresses, by musl', async () => {
  await withNetwork({ dns: { domain: 'lab.test' } }, async (lab) => {
    const web = await lab.attach({ name: 'web' })
    await lab.attach({ name: 'db' })
    const { stdout } = await within(lab, web, [musl, 'db', 'back'])
    assert.equal(stdout.trim().split('\n').sort(), ['10.9.0.3', 'db.lab.test', 'db.lab.test', 'fd09::3'])
  })
})

test('go back from addresses, by glibc; the container’s own are in its hosts', async () => {
  await withNetwork({ dns: { domain: 'lab.test' } }, async (lab) => {
    const web = await lab.attach({ name: 'web' })
    await lab.attach({ name: 'db' })
    for (const address of ['10.9.0.3', 'fd09::3'])
      assert.match((await within(lab, web, ['getent', 'hosts', address])).stdout, /\sdb\.lab\.test\n$/)
    assert.match((await within(lab, web, ['getent', '-s', 'files', 'hosts', 'web'])).stdout, /^(10\.9\.0\.2|fd09::2)\s/)
    assert.match((await within(lab, web, ['getent', '-s', 'files', 'hosts', 'localhost'])).stdout, /^::1\s/)
  })
})

test.skipIf(noBusybox, 'lead busybox wget to a server', async () => {
  await withNetwork({ subnets: ['10.9.0.0/24'] }, async (lab) => {
    const web = await lab.attach({ name: 'web' })
    const db = await lab.attach({ name: 'db', aliases: ['shop'] })
    await using server = await serve({ netns: { path: db.netns.path }, name: 'db', http: 80 })
    const { stdout, stderr } = await within(lab, web, ['busybox', 'wget', '-O', '-', 'http://shop/'])
    assert.match(stdout, /"server": ?"db"/, stderr)
    assert.ok(server.pid > 0)
  })
})

test('of two networks are found through the first server, and through the next where the first has none to ask', async () => {
  await withNetwork({ dns: { servers: ['10.9.0.53:5300'], domain: 'out.test' } }, async (out) => {
    const { netns } = await out.attach({ name: 'upstream', addresses: ['10.9.0.53/24'] })
    await using upstream = await fakeServer(netns, '0.0.0.0', (asked) => [addresses(asked, '198.51.100.7')], { port: 5300 })
    const inner = await createNetwork({ name: 'inner', subnets: ['10.8.0.0/24'], internal: true, dns: true })
    const inInner = await inner.attach({ name: 'web' })
    const inOut = await out.attach({ name: 'web', netns: inInner.netns, ifname: 'eth1' })
    await inner.attach({ name: 'db' })
    const { resolvConf } = containerFiles({
      attached: [
        { network: inner, endpoint: inInner },
        { network: out, endpoint: inOut },
      ],
    })
    assert.is(resolvConf, 'nameserver 10.9.0.1\nnameserver fd09::1\nnameserver 10.8.0.1\nsearch out.test\n')
    const more = [{ network: out, endpoint: inOut }]
    const found = async (name: string): Promise<string> =>
      (await within(inner, inInner, ['getent', 'ahostsv4', name], more)).stdout
    assert.match(await found('db'), /^10\.8\.0\.3 /)
    assert.match(await found('example.org'), /^198\.51\.100\.7 /)
    assert.ok(upstream.asked.length > 0)
    await inner.delete({ force: true })
  })
})

test('of a process that lives in a container’s namespace are asked for by Node, too', async () => {
  await withNetwork({ subnets: ['10.9.0.0/24'] }, async (lab) => {
    const web = await lab.attach({ name: 'web' })
    const inside = await openNetns({ path: web.netns.path })
    const program = "require('node:dns').promises.resolve4('web').then((all) => console.log(all.join()))"
    const { stdout, stderr } = await within(lab, web, [process.execPath, '-e', program])
    assert.is(stdout, '10.9.0.2\n', stderr)
    await inside.close()
  })
})

test.run()
