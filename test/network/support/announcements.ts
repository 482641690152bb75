// announcements.py as a child.

import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type NetnsRef, spawnIn } from '../../support/command.ts'
import { until } from './until.ts'

export interface Announcements extends AsyncDisposable {
  /** `10.9.0.2 is at 02:42:0a:09:00:02`, in the order in which they came. */
  readonly heard: readonly string[]
  /** Resolves when they were all heard. */
  includes(...lines: readonly string[]): Promise<void>
}

/** What is announced on the devices of a namespace from now on. */
export async function listenIn(netns: NetnsRef | undefined): Promise<Announcements> {
  const child = spawnIn(netns, 'python3', [join(import.meta.dirname, 'announcements.py')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const heard: string[] = []
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const ready = once(lines, 'line')
  await Promise.race([ready, gone.then(() => Promise.reject(new Error('nobody listens')))])
  lines.on('line', (line) => {
    const { address, mac } = JSON.parse(line) as { address: string; mac: string }
    heard.push(`${address} is at ${mac}`)
  })
  return {
    heard,
    includes: (...wanted) =>
      until(`${wanted.join(' and ')} were announced`, async () => wanted.every((line) => heard.includes(line))).catch((error) => {
        throw new Error(`${error.message}; heard: ${heard.join(', ') || 'nothing'}`)
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await gone
    },
  }
}
