// The sandbox that the tests and the demo live in. A namespace made here by hand stands for the machine's own: it has no marker of its own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { output, run } from './support/lab.ts'
import { suite } from './support/suite.ts'

const root = join(import.meta.dirname, '..')
const sandbox = join(root, 'scripts/sandbox.mjs')

/** A program that runs its arguments in a sandbox and ends as they end. */
const program = `import { endLike, runInSandbox } from ${JSON.stringify(sandbox)}; endLike(await runInSandbox(process.argv[1], process.argv.slice(2)))`
const outside = (...command: string[]): string[] => ['--net', process.execPath, '--input-type=module', '-e', program, ...command]

const test = suite('sandbox')

test('holds a loopback that is down, no other link, and no named namespace', async () => {
  await output('ip', ['netns', 'add', 'outer'])
  try {
    const seen = await output('unshare', outside('sh', '-c', 'ip -j link; ls /run/netns'))
    const links = JSON.parse(seen) as { ifname: string; flags: string[] }[]
    assert.equal(
      links.map(({ ifname, flags }) => [ifname, flags]),
      [['lo', ['LOOPBACK']]],
    )
  } finally {
    await output('ip', ['netns', 'delete', 'outer'])
  }
})

test('a namespace named inside is not seen outside', async () => {
  await output('unshare', outside('ip', 'netns', 'add', 'inner'))
  assert.not.match(await output('ip', ['netns', 'list']), /inner/)
})

test('a resolv.conf that is a link into /run can be mounted over', async () => {
  const link = 'mount -t tmpfs tmpfs /etc && ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf && exec "$@"'
  const inside = 'echo nameserver 192.0.2.53 > /run/own && mount --bind /run/own /etc/resolv.conf && cat /etc/resolv.conf'
  const seen = await output('unshare', ['--mount', 'sh', '-c', link, 'unshare', 'unshare', ...outside('sh', '-c', inside)])
  assert.is(seen, 'nameserver 192.0.2.53\n')
})

test('in a sandbox the command runs in that one', async () => {
  const here = await output('readlink', ['/proc/self/ns/net'])
  assert.is(await output(process.execPath, ['--input-type=module', '-e', program, 'readlink', '/proc/self/ns/net']), here)
  const nested = await output('unshare', outside('readlink', '/proc/self/ns/net'))
  assert.is.not(nested, here)
})

test('the marker of another network namespace does not count', async () => {
  const { code, stderr } = await run('unshare', [
    '--net',
    process.execPath,
    '--import',
    'tsx',
    join(root, 'test/support/runner.ts'),
    'none',
  ])
  assert.is(code, 1)
  assert.match(stderr, /tests run in a sandbox only/)
})

test('the exit code of the command is handed on', async () => {
  assert.is((await run('unshare', outside('sh', '-c', 'exit 7'))).code, 7)
})

test('a signal reaches the command, and its death by it is handed on', async () => {
  const child = spawn('unshare', outside('sh', '-c', 'echo ready; exec sleep 60'), { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.equal(await once(child, 'exit'), [null, 'SIGTERM'])
})

test('a command that catches the signal decides how it ends', async () => {
  const polite = 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'
  const child = spawn('unshare', outside('sh', '-c', polite), { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.equal(await once(child, 'exit'), [5, null])
})

function unlikeRoot(): string | undefined {
  if (!/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))) return 'this is a user namespace already'
  for (let folder = root; folder !== '/'; folder = join(folder, '..')) {
    try {
      accessSync(folder, constants.X_OK)
    } catch {
      return `${folder} is closed to others`
    }
  }
  return undefined
}

test.skipIf(
  unlikeRoot(),
  'an ordinary user gets one where user namespaces are allowed, and the reason where they are not',
  async () => {
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all']
    const [net = '', ...command] = outside('sh', '-c', 'id -u; ip link set lo up && ping -c1 -q 127.0.0.1 > /dev/null && echo up')
    const { code, stdout, stderr } = await run('unshare', [net, ...nobody, ...command], { env: { HOME: '/tmp' } })
    if (code === 0) assert.is(stdout, '0\nup\n')
    else assert.match(stderr, /no sandbox can be made: .*\n.*(sysctl -w|user namespaces)/)
  },
)

test.run()
