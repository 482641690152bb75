// The compiler against nft itself: each rule is given to nft in its own language, nft says with --debug=netlink what it sends and with -j
// what it is in JSON, and that JSON compiled here must come out as the same expressions and the same elements of anonymous sets; and sent
// through the addon, it must be listed by nft in the same words as nft's own.

import * as assert from 'uvu/assert'
import { kernel } from '../../lib/errors.ts'
import { native } from '../../lib/native.ts'
import { compile } from '../../lib/nftables/compile/compile.ts'
import type { Command } from '../../lib/nftables/schema.ts'
import { json, output, run } from '../support/command.ts'
import { suite } from '../support/suite.ts'
import { bytecode, elementLines } from './support/bytecode.ts'
import { lacksQueue, ruleCorpus, script, setCorpus } from './support/corpus.ts'

const test = suite('nft says the same')
const host = native.home()

type Listed = { nftables: Record<string, Record<string, unknown>>[] }

/** What is listed as commands that add it. */
function additions(listed: Listed): Command[] {
  return listed.nftables.flatMap((object) => {
    const [kind = ''] = Object.keys(object)
    return kind !== 'metainfo' ? [{ add: object } as unknown as Command] : []
  })
}

/** The lines that nft printed for the rule of chain c, and those of the elements of its anonymous sets. */
function said(debug: string): { expressions: string[]; elements: string[] } {
  const lines = debug.split('\n')
  const elements = lines
    .filter((_, index) => /^__(set|map)%d t 0$/.test(lines[index - 1] ?? ''))
    .flatMap((line) => line.split('[end]'))
    .map((line) => line.replace(/^\s*(userdata = \{.*?\})?\s*element /, '').trim())
    .filter((line) => line !== '' && !line.startsWith('userdata'))
  const start = lines.lastIndexOf('inet t c')
  const expressions = lines.slice(start + 1).flatMap((line) => /^ {2}\[ (.*?) *\]$/.exec(line)?.[1] ?? [])
  return { expressions, elements }
}

/** nft puts an end before the first interval, and lists elements in an order of its own. */
const settled = (elements: readonly string[]): string[] => elements.filter((line) => !/^(00000000 ?)+ : 1$/.test(line)).sort()

/** Handles are the kernel's, and a rule's would name a neighbor. */
function withoutHandles(commands: readonly Command[]): Command[] {
  return JSON.parse(JSON.stringify(commands, (key, value) => (key === 'handle' ? undefined : value))) as Command[]
}

/** Sends what nft listed, and compares what nft lists then. */
async function relist(listed: Listed, what: string): Promise<void> {
  // What is left of an element's time goes on running between two listings.
  const list = async (): Promise<string> => (await output('nft', ['list', 'ruleset'])).replace(/(expires \w+?)h\w+/g, '$1')
  const before = await list()
  await output('nft', ['flush', 'ruleset'])
  await kernel(native.transact(host, compile(withoutHandles(additions(listed))).messages))
  assert.is(await list(), before, what)
}

async function compare(rule: string, hook: string): Promise<void> {
  await using _cleanup = { [Symbol.asyncDispose]: () => output('nft', ['flush', 'ruleset']).then(() => {}) }
  const sent = await run('nft', ['--debug=netlink', '-f', '-'], { input: script(rule, hook) })
  assert.is(sent.code, 0, `nft takes ${rule}: ${sent.stderr}`)
  const listed = await json<Listed>('nft', ['list', 'table', 'inet', 't'])
  const compiled = compile(additions(listed))
  const ours = compiled.messages.filter(({ type }) => type === 'NFT_MSG_NEWRULE').at(-1)
  if (ours === undefined) throw new Error(`no rule for ${rule}`)
  const { expressions, elements } = said(sent.stdout)
  assert.equal(bytecode(ours), expressions, rule)
  const inPlace = compiled.messages.filter(
    ({ type, body }) => type === 'NFT_MSG_NEWSETELEM' && String(body['set']).startsWith('__'),
  )
  assert.equal(settled(inPlace.flatMap(elementLines)), settled(elements), `elements of ${rule}`)
  await relist(listed, rule)
}

for (const { rule, hook } of ruleCorpus) {
  test.skipIf(rule.startsWith('queue') && lacksQueue, rule, () => compare(rule, hook))
}

for (const set of setCorpus) {
  test(`${set} is listed as it was`, async () => {
    await using _cleanup = { [Symbol.asyncDispose]: () => output('nft', ['flush', 'ruleset']).then(() => {}) }
    await output('nft', ['-f', '-'], { input: `table inet t {\n chain other { }\n ${set}\n}` })
    await relist(await json<Listed>('nft', ['list', 'table', 'inet', 't']), set)
  })
}

test.run()
