// npm run demo [-- --keep]: the container network of the tutorials, built, used and taken down.
//
// Exit code 0 when all went as expected and nothing is left, 1 when not, 130 or 143 when SIGINT or SIGTERM came in the middle. With
// --keep the network stays up for a look around until Ctrl-C, which is then how it ends: 0.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { inSandbox } from '../../scripts/sandbox.mjs'
import { lookAround } from './look-around.ts'
import { Interrupted, Narrator, Unmet } from './narrator.ts'
import { buildNetwork } from './network.ts'
import { remains } from './remains.ts'
import { buildSurroundings } from './surroundings.ts'
import { topology } from './topology.ts'
import { startServers, tryTraffic } from './traffic.ts'
import { Undo } from './undo.ts'

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
type Signal = keyof typeof exitCodes

function isKept(): boolean {
  try {
    return parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values.keep
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\nusage: npm run demo [-- --keep]`)
    process.exit(2)
  }
}

const keep = isKept()
if (!inSandbox()) {
  console.error('netlink-ct: the demo runs in a sandbox only: npm run demo')
  process.exit(1)
}

let signal: Signal | undefined
const interrupted = new Promise<void>((resolve) => {
  for (const name of Object.keys(exitCodes) as Signal[]) {
    process.on(name, () => {
      signal ??= name
      resolve()
    })
  }
})

const narrator = new Narrator(() => signal !== undefined)
const undo = new Undo()

async function play(): Promise<void> {
  const surroundings = await buildSurroundings(narrator, undo)
  const containers = await buildNetwork(narrator, undo)
  const servers = await startServers(narrator, undo, containers, surroundings)
  narrator.heading('What is there now')
  narrator.say('', ...topology(containers))
  await tryTraffic(narrator, containers, surroundings)
  if (!keep) return
  narrator.heading('Left up until Ctrl-C. From another terminal:')
  narrator.say(...lookAround(containers, surroundings, servers.web))
  // Nothing else keeps the process alive while it waits.
  const alive = setInterval(() => {}, 60_000)
  await interrupted
  clearInterval(alive)
  signal = undefined
}

/** Whether it went as expected; says what did not. */
async function ended(act: Promise<void>): Promise<boolean> {
  try {
    await act
    return true
  } catch (error) {
    // A terminal's Ctrl-C ends the clients as well: what they did not say is not the network's fault.
    if (error instanceof Interrupted || signal !== undefined) narrator.say('', 'interrupted: cleaning up')
    else console.error(error instanceof Unmet ? `\nnot as expected: ${error.message}` : error)
    return false
  }
}

async function takeDown(before: Awaited<ReturnType<typeof remains>>): Promise<void> {
  narrator.heading('Taking it down')
  await undo.run(narrator)
  const after = await remains()
  narrator.heading('What is left')
  const wrong: string[] = []
  for (const [what, was] of Object.entries(before)) {
    const is = after[what as keyof typeof after]
    narrator.say(
      `  ${what === 'forwarding' ? 'net.ipv4.ip_forward' : what}: ${is}${is === was ? ', as before' : ` (before: ${was})`}`,
    )
    if (is !== was) wrong.push(what)
  }
  if (wrong.length > 0) throw new Unmet(`${wrong.join(', ')}: not as before`)
}

const before = await remains()
narrator.say(
  `netlink-ct ${JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version} on Linux ${readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()}, in a sandbox: the machine's own network is not touched.`,
  'Each step: what it is, the time that the library took, the call; after $ the commands that do the same by hand.',
)
const wentWell = await ended(play())
const interruption = signal
const isClean = await ended(takeDown(before))
narrator.say('', `${narrator.summary()}${isClean ? '; nothing left behind' : ''}`)
if (!isClean) process.exitCode = 1
else if (interruption !== undefined) process.exitCode = exitCodes[interruption]
else process.exitCode = wentWell ? 0 : 1
