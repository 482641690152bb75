// Starts a trial where it disturbs no other: a new process, network namespace and /run, and the kernel done with those before.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { kernelDone } from './kernel-done.ts'
import type { Figures } from './workloads/workload.ts'

const program = join(import.meta.dirname, 'trial.ts')
const limit = 180_000
const unshare = ['--net', '--mount', '--propagation', 'private']
const prepare = 'mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/netns && exec "$@"'

export async function runTrial(workload: string, contender: string): Promise<Figures> {
  const command = [process.execPath, '--import', 'tsx', program, workload, contender]
  const child = spawn('unshare', [...unshare, 'sh', '-c', prepare, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limit,
  })
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')])
  await kernelDone()
  if (code !== 0 || output.trim() === '')
    throw new Error(`${workload}, ${contender}: no figure (it ended with ${signal ?? code})`)
  const figures = JSON.parse(output) as Figures
  const missing = Object.entries(figures).find(([, figure]) => !Number.isFinite(figure))
  if (missing !== undefined) throw new Error(`${workload}, ${contender}: no figure for ${missing[0]}`)
  return figures
}
