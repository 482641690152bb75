// Making namespaces, with and without a name.

import { existsSync, readdirSync, statSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns, host, listNetns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, kernelState, output } from '../support/lab.ts'
import { askProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'

const test = suite('createNetns')

const fds = (): number => readdirSync('/proc/self/fd').length

test('an unnamed namespace holds a loopback that is down, and has no name', async () => {
  const before = await kernelState()
  await using ns = await createNetns()
  assert.is(ns.name, undefined)
  assert.is.not(ns.inode, host.inode)
  assert.is(statSync(ns.path, { bigint: true }).ino, ns.inode)
  const links = await json<{ ifname: string; flags: string[] }[]>('ip', ['link'], { netns: { path: ns.path } })
  assert.equal(
    links.map(({ ifname, flags }) => [ifname, flags]),
    [['lo', ['LOOPBACK']]],
  )
  assert.equal(await kernelState(), before)
})

test('two namespaces are two', async () => {
  await using one = await createNetns()
  await using other = await createNetns()
  assert.is.not(one.inode, other.inode)
})

test('a named namespace lies under /run/netns until it is deleted, whether or not it is held open', async () => {
  const ns = await createNetns('made')
  try {
    assert.is(ns.name, 'made')
    assert.is(ns.path, '/run/netns/made')
    assert.is(statSync('/run/netns/made', { bigint: true }).ino, ns.inode)
    const { inode } = ns
    await ns.close()
    assert.is(statSync('/run/netns/made', { bigint: true }).ino, inode)
    assert.equal(
      (await listNetns()).filter(({ name }) => name === 'made'),
      [{ name: 'made', path: '/run/netns/made', inode }],
    )
  } finally {
    await deleteNetns('made')
  }
  assert.not.ok(existsSync('/run/netns/made'))
})

test('a name that is taken is EEXIST, and the first namespace stays as it is', async () => {
  await using first = await createNetns('taken')
  try {
    await failureOf(createNetns('taken'))
    const open = fds()
    const error = await failureOf(createNetns('taken'))
    assert.is(error.code, 'EEXIST')
    assert.is(error.syscall, 'open')
    assert.match(error.message, /\/run\/netns\/taken/)
    assert.is(fds(), open)
    assert.is(statSync('/run/netns/taken', { bigint: true }).ino, first.inode)
  } finally {
    await deleteNetns('taken')
  }
})

test('names are file names, as ip netns takes them', async () => {
  for (const name of ['a b', '-x', 'näme', '.hidden', 'x'.repeat(255)]) {
    await using ns = await createNetns(name)
    assert.is(statSync(`/run/netns/${name}`, { bigint: true }).ino, ns.inode)
    assert.ok((await listNetns()).some((info) => info.name === name))
    await deleteNetns(name)
  }
})

test('deleting a name that is not there is ENOENT', async () => {
  const error = await failureOf(deleteNetns('nothing'))
  assert.is(error.code, 'ENOENT')
  assert.match(error.message, /\/run\/netns\/nothing/)
})

test('a file that a crash left without its mount can be deleted', async () => {
  await output('touch', ['/run/netns/left'])
  await deleteNetns('left')
  assert.not.ok(existsSync('/run/netns/left'))
})

test('a deleted name leaves the namespace to those who hold it', async () => {
  await using ns = await createNetns('held')
  await deleteNetns('held')
  assert.equal(
    (await ns.listLinks()).map((link) => link.name),
    ['lo'],
  )
})

test('a list is empty, and a name can be made, where /run/netns does not exist yet', async () => {
  const found = await askProgram<{ before: unknown[]; after: string[]; ip: string }>(
    `const { execFileSync } = await import('node:child_process')
    const { readFileSync } = await import('node:fs')
    const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').filter((line) => line.includes(' /run/netns ')).length
    const covered = mounts()
    const before = await ct.listNetns()
    await Promise.all(['one', 'two', 'three'].map((name) => ct.createNetns(name).then((ns) => ns.close())))
    const after = (await ct.listNetns()).map((info) => info.name)
    console.log(JSON.stringify({ before, after, ip: execFileSync('ip', ['netns', 'list'], { encoding: 'utf8', env: { PATH: process.env.PATH } }),
      stacked: mounts() - covered }))`,
    {
      within: ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$@"', 'sh'],
    },
  )
  assert.equal({ ...found, ip: found.ip.trim().split('\n').sort() }, {
    before: [],
    after: ['one', 'three', 'two'],
    ip: ['one', 'three', 'two'],
    stacked: 1,
  } as unknown)
})

test.run()
