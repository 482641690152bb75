// Starts a trial where it disturbs no other: a new process, network namespace and /run, and the kernel done with those before.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const ip = (...args: string[]): Promise<unknown> => promisify(execFile)('ip', args)

const hasLink = (name: string): boolean => readFileSync('/proc/self/net/dev', 'utf8').includes(`${name}:`)

/**
 * Waits until every namespace that nobody holds any more is gone: hundreds may take seconds, with the lock that links are made under.
 * The kernel takes them down in batches, one batch after another. A link into such a namespace goes with its batch; when the second one
 * has gone, the batch of the first is over.
 */
async function kernelDone(): Promise<void> {
  for (const witness of ['witness0', 'witness1']) {
    await ip('netns', 'add', witness)
    await ip('link', 'add', witness, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', witness)
    await ip('netns', 'delete', witness)
    while (hasLink(witness)) await delay(5)
  }
}

const program = join(import.meta.dirname, 'trial.ts')
const limit = 180_000
const unshare = ['--net', '--mount', '--propagation', 'private']
const prepare = 'mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/netns && exec "$@"'

export async function runTrial(workload: string, contender: string): Promise<number> {
  const command = [process.execPath, '--import', 'tsx', program, workload, contender]
  const child = spawn('unshare', [...unshare, 'sh', '-c', prepare, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limit,
  })
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')])
  await kernelDone()
  const figure = Number(output)
  if (code !== 0 || output.trim() === '' || !Number.isFinite(figure))
    throw new Error(`${workload}, ${contender}: no figure (it ended with ${signal ?? code})`)
  return figure
}
