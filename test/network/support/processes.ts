// other-process.ts as a child.

import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AttachSpec, Port } from '../../../lib/index.ts'
import { spawnIn } from '../../support/command.ts'

/** What an Endpoint is as JSON. */
export interface Told {
  readonly name: string
  /** A path that holds while the other process lives. */
  readonly netns: string
  readonly hostIfname: string
  readonly hostIndex: number
  readonly addresses: readonly string[]
  readonly ports: readonly Port[]
}

export interface OtherProcess extends AsyncDisposable {
  readonly endpoints: readonly Told[]
  /** SIGKILL: nothing that it attached is detached. */
  kill(): Promise<void>
}

async function start(args: readonly string[]): Promise<OtherProcess> {
  const script = join(import.meta.dirname, 'other-process.ts')
  const child = spawnIn(undefined, process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
  const gone = once(child, 'close')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  const { value, done } = await createInterface({ input: child.stdout as NodeJS.ReadableStream })
    [Symbol.asyncIterator]()
    .next()
  if (done) {
    await gone
    throw new Error(`the other process failed: ${complaints}`)
  }
  return { endpoints: JSON.parse(value), kill, [Symbol.asyncDispose]: kill }
}

/** Resolves when all are attached; they stay until the process is killed. */
export const attachElsewhere = (network: string, ...specs: readonly AttachSpec[]): Promise<OtherProcess> =>
  start([network, 'attach', ...specs.map((spec) => JSON.stringify(spec))])

export const detachElsewhere = async (network: string, ...names: readonly string[]): Promise<void> =>
  (await start([network, 'detach', ...names])).kill()

export const publishElsewhere = async (network: string, name: string, ...ports: readonly string[]): Promise<void> =>
  (await start([network, 'publish', name, ...ports])).kill()
