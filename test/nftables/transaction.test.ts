// A transaction of nf_tables is all or nothing, and what it is refused for is told; nft is the witness.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { kernel, NetlinkError } from '../../lib/errors.ts'
import { createNetns, Netns } from '../../lib/index.ts'
import { type Message, native } from '../../lib/native.ts'
import { compile } from '../../lib/nftables/compile/compile.ts'
import type { Command } from '../../lib/nftables/schema.ts'
import { json, output, run } from '../support/command.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('a transaction')

const send = (netns: Netns, messages: readonly Message[], generation?: number): Promise<unknown> =>
  kernel(native.transact(Netns.handleOf(netns), messages, generation))
const apply = (netns: Netns, commands: readonly Command[]): Promise<unknown> =>
  send(netns, compile(commands).messages as Message[])
const ruleset = (netns: Netns): Promise<string> => output('nft', ['list', 'ruleset'], { netns })

async function refusal(call: Promise<unknown>): Promise<NetlinkError> {
  const error = await failureOf(call)
  assert.instance(error, NetlinkError)
  return error as NetlinkError
}

const table: Command = { add: { table: { family: 'inet', name: 't' } } }
const chain = (table: string, name: string): Command => ({ add: { chain: { family: 'inet', table, name } } })

test('that is refused leaves nothing of itself, and the error names the message', async () => {
  await using ns = await createNetns()
  const error = await refusal(apply(ns, [table, chain('t', 'a'), chain('nosuch', 'b'), chain('t', 'c')]))
  assert.equal([error.code, error.syscall, error.index], ['ENOENT', 'NFT_MSG_NEWCHAIN', 2])
  assert.is(await ruleset(ns), '')
  // The socket is fit for the next one.
  await apply(ns, [table])
  assert.match(await ruleset(ns), /table inet t/)
})

test('with several errors tells the first', async () => {
  await using ns = await createNetns()
  await apply(ns, [table])
  const error = await refusal(apply(ns, [chain('nosuch', 'a'), { create: { table: { family: 'inet', name: 't' } } }]))
  assert.equal([error.code, error.index], ['ENOENT', 0])
})

test('of 2 048 rules is one send, and all of them are there', async () => {
  await using ns = await createNetns()
  const rules = Array.from(
    { length: 2048 },
    (_, at): Command => ({
      add: { rule: { family: 'inet', table: 't', chain: 'c', comment: `rule ${at}`, expr: [{ accept: null }] } },
    }),
  )
  await apply(ns, [table, chain('t', 'c'), ...rules])
  assert.is((await ruleset(ns)).match(/accept comment "rule \d+"/g)?.length, 2048)
})

test('of 5 000 elements with comments has them all', async () => {
  await using ns = await createNetns()
  const set: Command = { add: { set: { family: 'inet', table: 't', name: 's', type: 'ipv4_addr' } } }
  const address = (at: number): string => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`
  const thousand = (from: number): Command => ({
    add: {
      element: {
        family: 'inet',
        table: 't',
        name: 's',
        elem: Array.from({ length: 1000 }, (_, at) => ({ elem: { val: address(from + at), comment: `number ${from + at}` } })),
      },
    },
  })
  await apply(ns, [table, set, ...[0, 1000, 2000, 3000, 4000].map(thousand)])
  const listed = await output('nft', ['list', 'set', 'inet', 't', 's'], { netns: ns })
  assert.is(listed.match(/comment "number \d+"/g)?.length, 5000)
})

test('that is bound to a generation is ERESTART after any other one, and does nothing', async () => {
  await using ns = await createNetns()
  const generation = async (): Promise<number> => {
    const question = { type: 'NFT_MSG_GETGEN', flags: 0, body: { family: 0 } }
    const [outcome] = await kernel(native.submit(Netns.handleOf(ns), [question]))
    return Number(outcome?.replies[0]?.['id'])
  }
  const seen = await generation()
  assert.ok(seen > 0)
  await output('nft', ['add', 'table', 'inet', 'other'], { netns: ns })
  const messages = compile([table]).messages as Message[]
  const error = await refusal(send(ns, messages, seen))
  assert.is(error.code, 'ERESTART')
  assert.not.match(await ruleset(ns), /table inet t/)
  await send(ns, messages, await generation())
  assert.match(await ruleset(ns), /table inet t/)
})

test('on a table that another socket owns is EPERM, and the next one on another table is done', async () => {
  await using ns = await createNetns()
  const owner = spawn('nsenter', [`--net=${ns.path}`, 'nft', '-i'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(owner, 'exit')
  try {
    owner.stdin.write('add table inet owned { flags owner; }\nlist ruleset\n')
    await once(owner.stdout, 'data')
    const listed = await json<{ nftables: { table?: { name: string } }[] }>('nft', ['list', 'tables'], { netns: ns })
    assert.equal(
      listed.nftables.flatMap(({ table }) => table?.name ?? []),
      ['owned'],
    )
    const { code } = await run('nft', ['add', 'chain', 'inet', 'owned', 'c'], { netns: ns })
    assert.is(code, 1)
    const error = await refusal(apply(ns, [chain('owned', 'c')]))
    assert.equal([error.code, error.syscall, error.index], ['EPERM', 'NFT_MSG_NEWCHAIN', 0])
    await apply(ns, [table])
    assert.match(await ruleset(ns), /table inet t/)
  } finally {
    owner.stdin.end()
    await ended
  }
})

test('that destroys what is absent is done, one that deletes it is ENOENT', async () => {
  await using ns = await createNetns()
  await apply(ns, [{ destroy: { table: { family: 'inet', name: 'nosuch' } } }])
  const error = await refusal(apply(ns, [{ delete: { table: { family: 'inet', name: 'nosuch' } } }]))
  assert.equal([error.code, error.syscall], ['ENOENT', 'NFT_MSG_DELTABLE'])
})

test.run()
