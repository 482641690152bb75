// The library, watched at work.

import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import * as assert from 'uvu/assert'
import { createNetns, host, type NetlinkWarning, Netns, type RequestInfo, stats } from '../../lib/index.ts'
import { type Message, native } from '../../lib/native.ts'
import { run } from '../support/command.ts'
import { failureOf } from '../support/failure.ts'
import { runProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'

const test = suite('diagnostics')

/** What the channels are told while `body` runs. */
async function listened(body: () => Promise<unknown>): Promise<[string, RequestInfo][]> {
  const told: [string, RequestInfo][] = []
  const listeners = ['start', 'error', 'end'].map((name) => {
    const listener = (message: unknown): void => void told.push([name, message as RequestInfo])
    return { to: channel(`netlink-ct:request:${name}`), listener }
  })
  for (const { to, listener } of listeners) to.subscribe(listener)
  try {
    await body()
  } finally {
    for (const { to, listener } of listeners) to.unsubscribe(listener)
  }
  return told
}

test('a request is told at its start and its end, as one object that names the namespace and the messages', async () => {
  await using ns = await createNetns()
  const told = await listened(() => ns.addAddress('lo', '127.0.0.2/8'))
  const starts = told.filter(([name]) => name === 'start').map(([, info]) => info)
  const ends = told.filter(([name]) => name === 'end').map(([, info]) => info)
  assert.equal(ends, starts)
  for (const info of ends) {
    assert.is(info.operation, 'submit')
    assert.is(info.netns, ns.inode)
    assert.ok((info.duration ?? -1) >= 0)
    assert.is(info.error, undefined)
  }
  assert.ok(starts.some(({ messages }) => messages.includes('RTM_NEWADDR')))
  assert.ok(starts.some(({ steps }) => steps.includes('add the address 127.0.0.2/8 on lo')))
})

test('a refusal is told between the two, as the error that the caller gets', async () => {
  await using ns = await createNetns()
  let thrown: Error | undefined
  const told = await listened(async () => {
    thrown = await failureOf(ns.deleteLink('nobody'))
  })
  const [name, info] = told.find(([name]) => name === 'error') ?? []
  assert.is(name, 'error')
  const error = info?.error
  assert.ok(error instanceof Error)
  assert.is(error.message, thrown?.message)
  assert.is(told.at(-1)?.[0], 'end')
})

test('nothing is told when nobody listens any more', async () => {
  const told = await listened(async () => {})
  await host.listLinks()
  assert.equal(told, [])
})

test('stats counts sockets, what is queued and in flight, watchers and overruns', async () => {
  await host.listLinks()
  const idle = stats()
  assert.equal(Object.keys(idle), ['sockets', 'queued', 'inFlight', 'watchers', 'overruns'])
  assert.is(idle.queued, 0)
  assert.is(idle.inFlight, 0)
  const asked = Array.from({ length: 20 }, () => host.getLink('lo'))
  const busy = stats()
  assert.is(busy.queued + busy.inFlight, 20)
  await Promise.all(asked)
  const ns = await createNetns()
  const watch = ns.watch({ links: true })
  await watch.next()
  assert.is(stats().watchers, 1)
  assert.is(stats().sockets, idle.sockets + 2)
  await watch.return()
  await ns.close()
  assert.equal(stats(), idle)
})

/** What the channel of warnings is told while `body` runs. */
async function warned(body: () => Promise<unknown>): Promise<NetlinkWarning[]> {
  const told: NetlinkWarning[] = []
  const listener = (message: unknown): void => void told.push(message as NetlinkWarning)
  subscribe('netlink-ct:warning', listener)
  try {
    await body()
  } finally {
    unsubscribe('netlink-ct:warning', listener)
  }
  return told
}

test('what the kernel says though it did it is told as a warning, in the words that tc prints', async () => {
  await using ns = await createNetns()
  for (const name of ['i0', 'i1']) {
    await ns.createLink({ kind: 'ifb', name, up: true })
    await ns.addQdisc(name, { kind: 'htb', handle: '1:' })
  }
  const command = ['class', 'add', 'dev', 'i1', 'parent', '1:', 'classid', '1:1', 'htb', 'rate', '1gbit']
  const { code, stderr } = await run('tc', command, { netns: ns })
  assert.is(code, 0)
  const [, message] = /^Warning: (.*)$/m.exec(stderr) ?? []
  assert.match(message ?? '', /quantum of class 10001 is big/)
  const told = await warned(async () => {
    await ns.addClass('i0', { kind: 'htb', parent: '1:', classId: '1:1', rate: '1gbit' })
    await ns.addClass('i0', { kind: 'htb', parent: '1:1', classId: '1:2', rate: '1mbit' })
  })
  assert.equal(told, [{ source: 'kernel', operation: 'add the class 1:1 of i0', netns: ns.inode, message }])
  assert.is((await ns.listClasses('i0')).length, 2)
})

test('each message of a submission can have a warning, not the last alone', async () => {
  await using ns = await createNetns()
  await ns.createLink({ kind: 'ifb', name: 'i0', up: true })
  await ns.addQdisc('i0', { kind: 'htb', handle: '1:' })
  const { submit } = native
  const sent: Message[] = []
  native.submit = (handle, messages) => {
    sent.push(...messages)
    return submit(handle, messages)
  }
  try {
    await ns.addClass('i0', { kind: 'htb', parent: '1:', classId: '1:1', rate: '1gbit' })
  } finally {
    native.submit = submit
  }
  const add = sent.find(({ type }) => type === 'RTM_NEWTCLASS')
  assert.ok(add)
  const others = [2, 3].map((minor) => ({ ...add, body: { ...add.body, handle: 0x10000 + minor } }))
  const outcomes = await native.submit(Netns.handleOf(ns), others)
  for (const [at, { warning }] of outcomes.entries())
    assert.match(warning?.message ?? '', new RegExp(`class 1000${at + 2} is big`))
})

const program = `
  const ns = await ct.createNetns()
  const watch = ns.watch({ links: true })
  for await (const event of watch) if (event.type === 'synced') break
  await ns.createLink({ name: 'v0', kind: 'ifb', mtu: 1400, up: true })
  await ns.deleteLink('nobody').catch(() => {})`

test('NODE_DEBUG=netlink-ct prints the messages in words, and netlink-ct-bytes their bytes', async () => {
  const { code, stderr } = await runProgram(program, { within: ['env', 'NODE_DEBUG=netlink-ct,netlink-ct-bytes'] })
  assert.is(code, 0)
  assert.match(stderr, /netns \d+ > link add .*name v0 .*mtu 1400.* kind ifb/)
  assert.match(stderr, /< .*name lo /)
  assert.match(stderr, /< dump: ok, [\d.]+ ms/)
  assert.match(stderr, /link delete name nobody/)
  assert.match(stderr, /NetlinkError: ENODEV/)
  assert.match(stderr, /RTM_NEWLINK, \d+ bytes\n {2}0000 {2}[0-9a-f]{2} 00 00 00 10 00 01 06 /)
  assert.match(stderr, /0020 {2}([0-9a-f]{2} )+.*v0/)
  const quiet = await runProgram(program)
  assert.is(quiet.stderr, '')
})

test.run()
