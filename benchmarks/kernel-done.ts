// What was measured before must not disturb what is measured next.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const ip = (...args: string[]): Promise<unknown> => promisify(execFile)('ip', args)

const hasLink = (name: string): boolean => readFileSync('/proc/self/net/dev', 'utf8').includes(`${name}:`)

/**
 * Waits until every namespace that nobody holds any more is gone: hundreds may take seconds, with the lock that links are made under.
 * The kernel takes them down in batches, one batch after another. A link into such a namespace goes with its batch; when the second one
 * has gone, the batch of the first is over.
 */
export async function kernelDone(): Promise<void> {
  for (const witness of ['witness0', 'witness1']) {
    await ip('netns', 'add', witness)
    await ip('link', 'add', witness, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', witness)
    await ip('netns', 'delete', witness)
    while (hasLink(witness)) await delay(5)
  }
}
