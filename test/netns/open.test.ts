// Opening namespaces that exist.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns, host, NetlinkError, openNetns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output } from '../support/lab.ts'
import { plainEnv } from '../support/program.ts'
import { suite } from '../support/suite.ts'

const test = suite('openNetns')

test('a namespace is opened by its name, a path, a descriptor, and a process inside', async () => {
  await using ns = await createNetns('opened')
  const child = await ns.spawn('sleep', ['60'], { env: plainEnv() })
  const fd = openSync('/run/netns/opened', 'r')
  try {
    for (const ref of ['opened', { path: '/run/netns/opened' }, { path: ns.path }, { fd }, { pid: child.pid as number }]) {
      await using opened = await openNetns(ref)
      assert.is(opened.inode, ns.inode, JSON.stringify(ref))
      assert.is(opened.name, ref === 'opened' ? 'opened' : undefined)
      assert.is((await opened.getLink('lo')).name, 'lo')
    }
  } finally {
    closeSync(fd)
    child.kill()
    await once(child, 'close')
    await deleteNetns('opened')
  }
})

test('a descriptor is copied: the caller may close its own at once', async () => {
  await using ns = await createNetns()
  const fd = openSync(ns.path, 'r')
  const opening = openNetns({ fd })
  closeSync(fd)
  await using opened = await opening
  assert.is(opened.inode, ns.inode)
  assert.is((await opened.listLinks()).length, 1)
})

test('a process in this namespace leads to the namespace of host', async () => {
  await using opened = await openNetns({ pid: process.pid })
  assert.is(opened.inode, host.inode)
})

test('what is no network namespace is refused as such', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netlink-ct-'))
  try {
    await output('mkfifo', [join(folder, 'fifo')])
    await output('touch', [join(folder, 'file')])
    for (const path of [
      '/proc/self/ns/mnt',
      '/proc/self/ns/user',
      '/dev/null',
      '/run',
      join(folder, 'file'),
      join(folder, 'fifo'),
    ]) {
      const error = await failureOf(openNetns({ path }))
      assert.ok(error instanceof NetlinkError)
      assert.is(error.code, 'EINVAL', path)
      assert.match(error.message, /not a network namespace/)
      assert.ok(error.message.includes(path), error.message)
    }
    const fd = openSync('/dev/null', 'r')
    const error = await failureOf(openNetns({ fd }))
    closeSync(fd)
    assert.is(error.code, 'EINVAL')
    assert.match(error.message, /not a network namespace/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what does not exist is ENOENT, and a descriptor that is not open EBADF', async () => {
  const child = spawn('true', { env: plainEnv() })
  await once(child, 'close')
  for (const ref of ['nobody', { path: '/run/netns/nobody' }, { pid: child.pid as number }]) {
    const error = await failureOf(openNetns(ref))
    assert.is(error.code, 'ENOENT', JSON.stringify(ref))
    assert.is(error.syscall, 'open')
  }
  const error = await failureOf(openNetns({ fd: 1_000_000 }))
  assert.is(error.code, 'EBADF')
})

test.run()
