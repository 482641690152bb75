// What the examples share: they print what they do, look with the tools that a person would use, and clean up.

import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { createNetns, createVethPair, deleteNetns, host, type Netns } from 'netlink-ct'
import { inSandbox } from '../scripts/sandbox.mjs'

/** What an example works with. */
export interface Play {
  /** Says what comes next, and which commands would do it by hand. */
  step(title: string, ...shell: readonly string[]): void
  /** Runs a command in a namespace, only to look: prints what it says, and resolves to it. */
  look(netns: Netns, command: string): Promise<Seen>
  /** Prints what must be so, and ends the example if it is not. */
  expect(what: string, isSo: boolean): void
  /** Is called at the end, however that comes: the last one first. */
  after(cleanUp: () => Promise<unknown>): void
}

export interface Seen {
  readonly code: number | null
  readonly output: string
}

const names = new Map<Netns, string>([[host, 'host']])

/** How a namespace is called in what is printed. */
export const called = (netns: Netns): string => names.get(netns) ?? netns.name ?? 'container'

async function look(netns: Netns, command: string): Promise<Seen> {
  // What was preloaded into this Node, such as a sanitizer, is not for other people's programs.
  const env = { ...process.env, LD_PRELOAD: '' }
  const child = await netns.spawn('sh', ['-c', `${command} 2>&1`], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  const output = child.stdout === null ? '' : (await text(child.stdout)).trim()
  console.log(`    ${called(netns)}# ${command}`)
  for (const line of output.split('\n').filter(Boolean)) console.log(`      ${line}`)
  return { code: await closed, output }
}

/** Runs an example: `play` builds something and looks at it. What it left to `after` is done in any case. */
export async function example(title: string, play: (tools: Play) => Promise<void>): Promise<void> {
  if (!inSandbox()) {
    console.error('netlink-ct: the examples run in a sandbox only: npm run examples')
    process.exit(1)
  }
  console.log(`\n${title}`)
  const undo: (() => Promise<unknown>)[] = []
  try {
    await play({
      step(what, ...shell) {
        console.log(`\n  ${what}`)
        for (const line of shell) console.log(`    by hand: ${line}`)
      },
      look,
      expect(what, isSo) {
        console.log(`    ${isSo ? 'ok' : 'NOT SO'}: ${what}`)
        if (!isSo) throw new Error(`not as expected: ${what}`)
      },
      after: (cleanUp) => undo.push(cleanUp),
    })
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  }
  for (const cleanUp of undo.reverse()) {
    await cleanUp().catch((error: unknown) => {
      console.error(error)
      process.exitCode = 1
    })
  }
}

/** Gives a container the name that is printed of it. */
export function call(netns: Netns, name: string): Netns {
  names.set(netns, name)
  return netns
}

/** A machine outside, such as a neighbor on the LAN or a server on the internet: a namespace at the end of a wire to the host. */
export async function machine(
  { after }: Play,
  name: string,
  wire: { readonly address: string; readonly hostIfname: string; readonly hostAddress: string },
): Promise<Netns> {
  const netns = await createNetns(name)
  after(() => deleteNetns(name).then(() => netns.close()))
  await createVethPair({
    name: wire.hostIfname,
    up: true,
    addresses: [wire.hostAddress],
    peer: { netns, name: 'eth0', up: true, addresses: [wire.address] },
  })
  after(() => host.deleteLink(wire.hostIfname))
  await netns.setLink('lo', { up: true })
  return netns
}

/** A web server inside a namespace, in this process: it says who it is and whom it saw. */
export async function webServer({ after }: Play, netns: Netns, name: string, port: number): Promise<void> {
  const server = createServer((request, response) => {
    response.end(`${name} saw ${request.socket.remoteAddress?.replace('::ffff:', '')}\n`)
  })
  await netns.listen(server, { port })
  after(async () => {
    server.closeAllConnections()
    server.close()
  })
}
