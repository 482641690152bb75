// The processes of the demo: servers and clients, each born in a namespace by Netns.spawn. Their network is that of a container or of
// a machine; everything else about them is ordinary.

import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Netns } from 'netlink-ct'

/** What serve.mjs says of itself and of the client that it saw, or ask.mjs of the reason for silence. */
export interface Answer {
  readonly server?: string
  readonly saw?: string
  readonly error?: string
}

export interface Server {
  readonly pid: number
  stop(): Promise<void>
}

/** How long a client waits before it says that nobody answers. */
export const patience = 1000

const script = (name: string): string => join(import.meta.dirname, name)

/** Starts a server; `listening` resolves when it listens on all of the ports. */
export async function serve(
  netns: Netns,
  name: string,
  ports: readonly number[],
): Promise<Server & { listening: Promise<void> }> {
  const child = await netns.spawn(process.execPath, [script('serve.mjs'), name, ...ports.map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const gone = once(child, 'exit')
  const ready = once(child, 'message')
  const listening = Promise.race([ready, gone]).then(() => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ${name} ended before it listened`)
  })
  // Whoever stops the server before it listens has no use for that error.
  listening.catch(() => {})
  return {
    pid: child.pid as number,
    listening,
    async stop() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Asks a server from a namespace. */
export async function ask(netns: Netns, url: string): Promise<Answer> {
  const child = await netns.spawn(process.execPath, [script('ask.mjs'), url, String(patience)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await text(child.stdout as Readable)
  try {
    return JSON.parse(said) as Answer
  } catch {
    return { error: `the client said ${JSON.stringify(said)}` }
  }
}
