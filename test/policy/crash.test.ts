// Processes killed at every step of a change of policies, and of an attach and a detach in a network that policies are about. All the while
// somebody sends what the policies forbid before and after: nothing of it arrives. What is left is told by `check`, and finished by whoever
// comes next; then the kernel has exactly what the devices remember.

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import {
  type AttachedEndpoint,
  applyPolicy,
  check,
  createNetwork,
  deletePolicy,
  deny,
  gc,
  listPolicies,
  type Network,
  openNetwork,
  type PolicyRuleSpec,
  repair,
} from '../../lib/index.ts'
import { noStrace } from '../network/crash/extent.ts'
import { type Step, type Task, Victims } from '../network/crash/victims.ts'
import { changes } from '../network/support/changes.ts'
import { sweep } from '../network/support/sweep.ts'
import { until } from '../network/support/until.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type Blaster, blast, instant } from './blaster.ts'

const test = suite('a process that changes policies is killed at every step', { limit: 540_000 })
const unable = noStrace || (!existsSync('/proc/sys/net/bridge') && 'the kernel has no br_netfilter')

const port = '7000'
const plain = ({ addresses: [cidr = ''] }: { readonly addresses: readonly string[] }): string => cidr.split('/')[0] ?? ''

interface Pair extends AsyncDisposable {
  readonly network: Network
  readonly sender: AttachedEndpoint
  readonly receiver: AttachedEndpoint
  readonly ear: Blaster
}

/** Two containers, of which the one sends to the other without pause. */
async function pair(name: string, subnet: string, icc: boolean): Promise<Pair> {
  const network = await createNetwork({ name, subnets: [subnet], icc })
  const [sender, receiver] = [await network.attach({ name: 'a' }), await network.attach({ name: 'b' })]
  const ear = await blast({ path: receiver.netns.path }, 'hear', port)
  const mouth = await blast({ path: sender.netns.path }, 'send', plain(receiver), port)
  return {
    network,
    sender,
    receiver,
    ear,
    async [Symbol.asyncDispose]() {
      await mouth[Symbol.asyncDispose]()
      await ear[Symbol.asyncDispose]()
      await network.delete({ force: true })
    },
  }
}

let victims: Victims
let lab: Pair
let quiet: Pair
test.before(async () => {
  if (unable) return
  victims = await Victims.create()
  lab = await pair('lab', '10.9.0.0/24', true)
  quiet = await pair('quiet', '10.8.0.0/24', false)
  await output('ip', ['netns', 'add', 'box'])
})
test.after(async () => {
  if (unable) return
  await lab[Symbol.asyncDispose]()
  await quiet[Symbol.asyncDispose]()
  await victims[Symbol.asyncDispose]()
  await output('ip', ['netns', 'delete', 'box'])
  await sweep()
})

type Rules = Readonly<Record<string, readonly PolicyRuleSpec[]>>

const isOfPolicies = (altname: string): boolean => /^netlink-ct\/(policy|change)=/.test(altname)

/** What devices remember of policies apart; sets and chains in whatever order they were made. */
async function state(): Promise<unknown> {
  const { links, ruleset, ...rest } = await kernelState()
  const own = Object.entries(links).map(([name, link]) => {
    const { altnames = [], ...facts } = link as { readonly altnames?: readonly string[] }
    return [name, { ...facts, altnames: altnames.filter((altname) => !isOfPolicies(altname)).sort() }]
  })
  return {
    ...rest,
    links: Object.fromEntries(own),
    ruleset: ruleset
      .split(/\n(?=\t(?:set|map|chain) )/)
      .map((part) => part.trim())
      .sort(),
  }
}

async function records(): Promise<readonly string[]> {
  const { links } = await kernelState()
  return Object.values(links)
    .flatMap((link) => (link as { altnames?: string[] }).altnames ?? [])
    .filter((name) => name.includes('change='))
}

async function equals(expected: unknown, what: string): Promise<void> {
  let last: string[] = []
  await until(what, async () => {
    last = changes(expected, await state())
    return last.length === 0
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${last.join('\n')}`)
  })
}

async function settle(rules: Rules): Promise<void> {
  for (const { name } of await listPolicies()) if (!(name in rules)) await deletePolicy(name)
  for (const [name, own] of Object.entries(rules)) await applyPolicy({ name, rules: own })
}

const said = async (): Promise<string> => JSON.stringify(await listPolicies())

/** Whoever comes next. */
const finishers: Readonly<Record<string, () => Promise<unknown>>> = {
  'somebody repairs': () => repair(),
  'somebody makes another policy': async () => {
    await deny({ name: 'neutral', from: '198.51.100.7', to: 'lab' })
    await deletePolicy('neutral')
  },
  'somebody attaches, and repairs': async () => {
    for (const name of ['lab', 'quiet']) await (await (await openNetwork(name)).attach({ name: 'late' })).detach()
    await repair()
  },
}

interface Scene {
  readonly before: Rules
  readonly task: Task
  /** Where nothing arrives that is sent before or after. */
  readonly silent: readonly (() => Pair)[]
  readonly after?: (what: string, isNew: boolean) => Promise<unknown>
  /** Before it is killed, on top of the policies. */
  readonly prepare?: () => Promise<AsyncDisposable>
}

async function heard(pairs: readonly (() => Pair)[]): Promise<number[]> {
  return Promise.all(pairs.map(async (one) => (await one().ear.ask()).count))
}

async function atEveryStep({ before, task, silent, after, prepare }: Scene): Promise<void> {
  await settle(before)
  const [old, oldText] = [await state(), await said()]
  let [fresh, freshText]: [unknown, string] = [undefined, '']
  const turns = Object.entries(finishers)
  let found = 0
  const killed = async (step: Step | 'done', at: number): Promise<readonly Step[]> => {
    await settle(before)
    await using _more = await prepare?.()
    const calm = await heard(silent)
    const steps = step === 'done' ? await victims.killedWhenDone(task) : []
    if (step !== 'done') await victims.killedAt(task, step)
    const [way, finish] = turns[at % turns.length] ?? ['', repair]
    const what = `killed ${step === 'done' ? 'when it was done' : `before ${step.syscall} ${step.at}`}, ${way}`
    const findings = await check()
    if (findings.length > 0) found++
    await finish()
    assert.equal(await check(), [], what)
    assert.equal(await records(), [], what)
    assert.equal(await heard(silent), calm, `${what}: what is forbidden arrived`)
    const text = await said()
    if (step === 'done') [fresh, freshText] = [await state(), text]
    assert.ok(text === oldText || text === freshText, `${what}: ${text}`)
    // What was there and said nothing wrong needed nobody.
    await equals(text === freshText ? fresh : old, what)
    await after?.(what, text === freshText)
    return steps
  }
  const steps = await killed('done', 0)
  for (const step of steps) for (const at of turns.keys()) await killed(step, at)
  console.log(`${task.verb}: ${steps.map(({ syscall, at }) => `${syscall} ${at}`).join(', ')}; ${found} left something`)
  assert.ok(steps.length >= 3, `${steps.length} steps`)
  assert.ok(found > 0, 'something is left')
}

const a = 'lab/a'
const b = 'lab/b'
const denied: Rules = { p: [{ action: 'deny', from: a, to: b }] }

const scenes: Readonly<Record<string, Scene>> = {
  'the first deny': { before: {}, task: { verb: 'deny', policy: { name: 'p', from: a, to: b } }, silent: [() => quiet] },
  'a deny in place of another': {
    before: denied,
    task: {
      verb: 'applyPolicy',
      policy: {
        name: 'p',
        rules: [
          { action: 'deny', from: a, to: b, ports: 'udp' },
          { action: 'deny', from: a, to: 'world' },
        ],
      },
    },
    silent: [() => lab, () => quiet],
  },
  'an isolate in place of a deny': {
    before: denied,
    task: { verb: 'applyPolicy', policy: { name: 'p', rules: [{ action: 'isolate', containers: b, direction: 'ingress' }] } },
    silent: [() => lab, () => quiet],
  },
  'an isolate beside a deny': {
    before: denied,
    task: { verb: 'isolate', policy: { name: 'q', containers: 'lab' } },
    silent: [() => lab, () => quiet],
  },
  'a deny that another network remembers from then on': {
    before: denied,
    task: {
      verb: 'applyPolicy',
      policy: {
        name: 'p',
        rules: [
          { action: 'deny', from: 'world', to: 'quiet/b' },
          { action: 'deny', from: a, to: b },
        ],
      },
    },
    silent: [() => lab, () => quiet],
  },
  'the removal of one of two that say the same': {
    before: { ...denied, q: [{ action: 'deny', from: 'lab', to: b }] },
    task: { verb: 'deletePolicy', policy: 'q' },
    silent: [() => lab, () => quiet],
  },
  'the removal of the last': { before: denied, task: { verb: 'deletePolicy', policy: 'p' }, silent: [() => quiet] },
  'an allow between isolated ports': {
    before: {},
    task: { verb: 'allow', policy: { name: 'p', from: 'quiet/b', to: 'quiet/a' } },
    silent: [() => quiet],
  },
  'an allow in place of one the other way': {
    before: { p: [{ action: 'allow', from: 'quiet/a', to: 'quiet/b', ports: 'tcp' }] },
    task: { verb: 'applyPolicy', policy: { name: 'p', rules: [{ action: 'allow', from: 'quiet/b', to: 'quiet/a' }] } },
    silent: [() => quiet],
  },
  'the removal of an allow that a connection goes by': {
    before: {
      p: [{ action: 'allow', from: 'quiet/a', to: 'quiet/b', ports: 'tcp' }],
      // Keeps the ports open to each other, so that the firewall alone decides.
      q: [{ action: 'allow', from: 'quiet/b', to: 'quiet/a', ports: '9' }],
    },
    task: { verb: 'deletePolicy', policy: 'p' },
    silent: [() => quiet],
    prepare: async () => {
      const { sender, receiver, ear } = quiet
      const from = instant()
      const talk = await blast({ path: sender.netns.path }, 'talk', plain(receiver), port)
      await until('the connection is used', async () => (await ear.ask()).tcpLatest > from)
      return talk
    },
    after: async (what, isNew) => {
      const since = instant()
      const goesOn = async (): Promise<boolean> => (await quiet.ear.ask()).tcpLatest > since
      if (!isNew) return until(`${what}: it goes on`, goesOn)
      const end = instant() + 300
      while (instant() < end) assert.not.ok(await goesOn(), `${what}: the connection goes on`)
    },
  },
}

for (const [name, scene] of Object.entries(scenes)) test.skipIf(unable, `of ${name}`, () => atEveryStep(scene))

/** In `box`, to which b is forbidden, while the network's policies are about it. */
async function inBox(task: Task, least: number, prepare: () => Promise<unknown>): Promise<void> {
  const shop = { network: 'lab', labels: { app: 'shop' } }
  const rules: readonly PolicyRuleSpec[] = [{ action: 'deny', from: shop, to: b }]
  await settle({ ...denied, box: rules })
  const before = await state()
  await using _mouth = await blast('box', 'send', plain(lab.receiver), port)
  const killed = async (step: Step | 'done'): Promise<readonly Step[]> => {
    await prepare()
    const calm = await heard([() => lab])
    const steps = step === 'done' ? await victims.killedWhenDone(task) : []
    if (step !== 'done') await victims.killedAt(task, step)
    const what = `killed ${step === 'done' ? 'when it was done' : `before ${step.syscall} ${step.at}`}`
    // Others replace what forbids it by what forbids it: the container may be there still.
    await applyPolicy({ name: 'box', rules: [...rules, { action: 'deny', from: shop, to: 'world' }] })
    const end = instant() + 50
    while (instant() < end) assert.equal(await heard([() => lab]), calm, `${what}: what is forbidden arrived`)
    await applyPolicy({ name: 'box', rules })
    await gc({ keep: ['lab/a', 'lab/b', 'quiet/a', 'quiet/b'] })
    assert.equal(await check(), [], what)
    assert.equal(await heard([() => lab]), calm, `${what}: what is forbidden arrived`)
    await equals(before, what)
    return steps
  }
  const steps = await killed('done')
  for (const step of steps) await killed(step)
  console.log(`${task.verb}: ${steps.map(({ syscall, at }) => `${syscall} ${at}`).join(', ')}`)
  assert.ok(steps.length >= least, `${steps.length} steps`)
}

const boxed = { name: 'box', netns: 'box', labels: { app: 'shop' }, publish: ['8080:80', '5353:53/udp'] } as const

test.skipIf(unable, 'of an attach', () => inBox({ network: 'lab', verb: 'attach', spec: boxed }, 5, async () => undefined))
test.skipIf(unable, 'of a detach', () =>
  inBox({ network: 'lab', verb: 'detach', endpoint: 'box' }, 4, () => lab.network.attach(boxed)),
)

test.run()
