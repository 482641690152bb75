// blaster.mjs as children in any namespace.

import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type NetnsRef, spawnIn } from '../support/command.ts'

export interface Heard {
  /** In milliseconds of `process.hrtime`: when the latest of what arrived had been sent. */
  readonly latest: number
  readonly count: number
  /** Bytes. */
  readonly tcp: number
  readonly tcpLatest: number
}

export interface Blaster extends AsyncDisposable {
  ask(): Promise<Heard>
}

/** Resolves when it is at work. */
export async function blast(netns: NetnsRef, role: 'send' | 'hear' | 'talk', ...args: readonly string[]): Promise<Blaster> {
  const child = spawnIn(netns, process.execPath, [join(import.meta.dirname, 'blaster.mjs'), role, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.value !== 'ready') throw new Error(`the blaster '${role}' did not start`)
  return {
    async ask() {
      child.stdin?.write('now\n')
      return JSON.parse((await lines.next()).value ?? '{}') as Heard
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await gone
    },
  }
}

/** The instant now, on the clock of blaster.mjs. */
export const instant = (): number => Number(process.hrtime.bigint()) / 1e6
