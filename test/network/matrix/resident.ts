// resident.mjs as a child in any network namespace.

import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type NetnsRef, spawnIn } from '../../support/command.ts'

export interface Target {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
}

export interface Said {
  readonly server: string
  readonly peer: string
}

export interface Resident extends AsyncDisposable {
  /** What the target said; undefined when nothing came in time, or a refusal. */
  ask(target: Target, within: number): Promise<Said | undefined>
}

/** Resolves when it serves. */
export async function settle(name: string, netns: NetnsRef | undefined): Promise<Resident> {
  const child = spawnIn(netns, process.execPath, [join(import.meta.dirname, 'resident.mjs'), name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const waiting = new Map<number, (answer: Said | undefined) => void>()
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const [first] = await Promise.race([once(lines, 'line'), gone])
  if (first !== 'ready') throw new Error(`the resident '${name}' does not serve`)
  lines.on('line', (line: string) => {
    const { id, answer } = JSON.parse(line) as { id: number; answer?: Said }
    waiting.get(id)?.(answer)
    waiting.delete(id)
  })
  let next = 0
  return {
    ask(target, within) {
      const id = next++
      child.stdin?.write(`${JSON.stringify({ id, within, ...target })}\n`)
      return new Promise((resolve) => waiting.set(id, resolve))
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await gone
    },
  }
}
