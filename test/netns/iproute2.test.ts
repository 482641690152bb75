// The same names as iproute2: what one makes the other lists, enters and deletes.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns, listNetns, openNetns } from '../../lib/index.ts'
import { json, output, run, spawnIn } from '../support/lab.ts'
import { plainEnv } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const test = suite('netns and ip netns')

const names = async (): Promise<string[]> => (await json<{ name: string }[]>('ip', ['netns', 'list'])).map(({ name }) => name)

// `ip netns exec` mounts /sys anew, which a user namespace may not everywhere.
const probe = 'ip netns add probe && ip netns exec probe true; code=$?; ip netns delete probe; exit $code'
const canExec = spawnSync('sh', ['-c', probe], { env: plainEnv() }).status === 0

test('a namespace made by ip is opened, listed and deleted here', async () => {
  await output('ip', ['netns', 'add', 'theirs'])
  await output('ip', ['-n', 'theirs', 'link', 'add', 'probe0', 'type', 'bridge'])
  {
    await using ns = await openNetns('theirs')
    assert.equal(
      (await ns.listLinks()).map((link) => link.name),
      ['lo', 'probe0'],
    )
    assert.equal(
      (await listNetns()).filter(({ name }) => name === 'theirs').map(({ inode }) => inode),
      [ns.inode],
    )
    await deleteNetns('theirs')
  }
  assert.not.ok((await names()).includes('theirs'))
  assert.not.ok(existsSync('/run/netns/theirs'))
})

test('a namespace made here is listed and deleted by ip', async () => {
  await using ns = await createNetns('ours')
  assert.ok((await names()).includes('ours'))
  await output('ip', ['-n', 'ours', 'link', 'add', 'probe0', 'type', 'bridge'])
  assert.is((await ns.getLink('probe0')).kind, 'bridge')
  await output('ip', ['netns', 'delete', 'ours'])
  assert.not.ok((await listNetns()).some(({ name }) => name === 'ours'))
})

test.skipIf(!canExec && 'ip netns exec does not work here', 'a namespace made here is entered by ip netns exec', async () => {
  await using ns = await createNetns('entered')
  try {
    const inside = await output('ip', ['netns', 'exec', 'entered', 'readlink', '/proc/self/ns/net'])
    assert.is(inside.trim(), `net:[${ns.inode}]`)
    const links = await json<{ ifname: string }[]>('ip', ['link'], { netns: 'entered' })
    assert.equal(JSON.parse(await output('ip', ['netns', 'exec', 'entered', 'ip', '-j', 'link'])), links)
    assert.is((await output('ip', ['netns', 'identify', String(process.pid)])).trim(), '')
    const child = await ns.spawn('sleep', ['60'], { env: plainEnv() })
    assert.is((await output('ip', ['netns', 'identify', String(child.pid)])).trim(), 'entered')
    assert.is((await output('ip', ['netns', 'pids', 'entered'])).trim(), String(child.pid))
    child.kill()
    await once(child, 'close')
  } finally {
    await deleteNetns('entered')
  }
})

test('the list is in the order of the names, and the same as that of ip', async () => {
  for (const name of ['beta', 'alpha']) await output('ip', ['netns', 'add', name])
  await using _gamma = await createNetns('gamma')
  try {
    const ours = (await listNetns()).map(({ name }) => name)
    assert.equal(ours, (await names()).sort())
    assert.ok(ours.indexOf('alpha') < ours.indexOf('beta') && ours.indexOf('beta') < ours.indexOf('gamma'))
  } finally {
    for (const name of ['alpha', 'beta', 'gamma']) await deleteNetns(name)
  }
})

test('a name made here reaches mount namespaces that were there before, and leaves them when it is deleted', async () => {
  await using _first = await createNetns('first') // from now on /run/netns is a shared mount, whoever came first
  const other = spawnIn(undefined, 'unshare', ['--mount', '--propagation', 'unchanged', 'sleep', '60'], {})
  try {
    const own = await output('readlink', ['/proc/self/ns/mnt'])
    await until('the other mount namespace is there', async () => {
      const { code, stdout } = await run('readlink', [`/proc/${other.pid}/ns/mnt`])
      return code === 0 && stdout !== own
    })
    const there = (...command: string[]): string[] => ['--mount', '--target', String(other.pid), ...command]
    await using late = await createNetns('late')
    assert.is((await output('nsenter', there('stat', '-L', '-c', '%i', '/run/netns/late'))).trim(), String(late.inode))
    await deleteNetns('late')
    assert.is((await run('nsenter', there('test', '-e', '/run/netns/late'))).code, 1)
    assert.not.match(await output('nsenter', there('cat', '/proc/self/mountinfo')), /netns\/late/)
  } finally {
    other.kill()
    await once(other, 'close')
    await deleteNetns('first')
  }
})

test.run()
