// Processes born inside.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import { createNetns, host, openNetns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { plainEnv } from '../support/program.ts'
import { suite } from '../support/suite.ts'

const test = suite('Netns.spawn')

const home = `net:[${host.inode}]`

/** The namespaces of all threads of this process. */
const threads = (): string[] =>
  readdirSync('/proc/self/task').flatMap((task) => {
    try {
      return [readlinkSync(`/proc/self/task/${task}/ns/net`)]
    } catch {
      return [] // it has ended since
    }
  })

async function said(child: ChildProcess): Promise<string> {
  const closed = once(child, 'close')
  const words = await text(child.stdout as NodeJS.ReadableStream)
  await closed
  return words.trim()
}

test('a child is inside, and this process is not', async () => {
  await using ns = await createNetns()
  const child = await ns.spawn('readlink', ['/proc/self/ns/net'], { env: plainEnv() })
  assert.is(await said(child), `net:[${ns.inode}]`)
  assert.is(child.exitCode, 0)
  assert.is(readlinkSync('/proc/thread-self/ns/net'), home)
})

test('no thread of this process is left inside: not the main one, not a thread of the pool, not the executor', async () => {
  await using ns = await createNetns()
  const children = await Promise.all(Array.from({ length: 8 }, () => ns.spawn('cat', ['/proc/net/dev'], { env: plainEnv() })))
  // Every thread of the pool has work, so that all of them are there.
  await Promise.all([...children.map(said), ...Array.from({ length: 16 }, () => readFile('/proc/self/stat'))])
  const places = threads()
  assert.ok(places.length > 5, `${places.length} threads`)
  assert.equal(new Set(places), new Set([home]))
})

test('arguments, environment, working directory and standard streams are those of child_process.spawn', async () => {
  await using ns = await createNetns()
  const child = await ns.spawn('sh', ['-c', 'cat; echo "$WORD $PWD $1"; exit 7', 'sh', 'argument'], {
    cwd: '/run',
    env: { WORD: 'hello', PATH: process.env['PATH'] },
  })
  child.stdin?.end('in ')
  assert.is(await said(child), 'in hello /run argument')
  assert.is(child.exitCode, 7)
})

test('a program that does not exist is ENOENT', async () => {
  await using ns = await createNetns()
  const error = await failureOf(ns.spawn('/no/such/program'))
  assert.is(error.code, 'ENOENT')
  assert.match(error.message, /spawn \/no\/such\/program/)
  assert.is(readlinkSync('/proc/thread-self/ns/net'), home)
})

test('an argument that spawn does not take is refused with this thread at home', async () => {
  await using ns = await createNetns()
  // @ts-expect-error a number is no program
  const error = await failureOf(ns.spawn(5))
  assert.instance(error, TypeError)
  assert.is(error.code, 'ERR_INVALID_ARG_TYPE')
  assert.is(readlinkSync('/proc/thread-self/ns/net'), home)
})

test('a signal that is aborted ends the child', async () => {
  await using ns = await createNetns()
  const abort = new AbortController()
  const child = await ns.spawn('sleep', ['60'], { signal: abort.signal, env: plainEnv() })
  const failed = once(child, 'error')
  const ended = once(child.stdout as NodeJS.ReadableStream, 'close')
  abort.abort()
  assert.is((await failed)[0].name, 'AbortError')
  await ended
})

test('a child keeps its namespace alive', async () => {
  const ns = await createNetns()
  const child = await ns.spawn('sleep', ['60'], { env: plainEnv() })
  const { inode } = ns
  await ns.close()
  {
    await using again = await openNetns({ pid: child.pid as number })
    assert.is(again.inode, inode)
  }
  child.kill()
  await once(child, 'close')
})

test('on the host it is spawn as ever', async () => {
  assert.is(await said(await host.spawn('readlink', ['/proc/self/ns/net'], { env: plainEnv() })), home)
})

test.run()
