// A process born inside a namespace: the JavaScript thread enters, forks and returns, without nsenter.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { access } from 'node:fs/promises'
import { signalOf, throwIfAborted } from '../abort.ts'
import { toError } from '../errors.ts'
import { invalidType, invalidValue, list } from '../invalid.ts'
import { type NamespaceHandle, native } from '../native.ts'

let poolWarmed: Promise<void> | undefined

// libuv starts the threads of its pool at first use. Started while this thread is in another namespace they would stay in it for
// the life of the process.
function warmPool(): Promise<void> {
  poolWarmed ??= access('/')
  return poolWarmed
}

/**
 * Like `child_process.spawn`, with the child's network inside. Only the network: the child sees this process's mounts, and so its
 * /etc/resolv.conf and /sys. Resolves once the program runs; rejects with the error of `spawn` (ENOENT) when it cannot.
 */
export async function spawnInside(
  handle: NamespaceHandle,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<ChildProcess> {
  // child_process would say it with this thread inside already.
  if (typeof command !== 'string') throw invalidType('command', 'a program', command)
  if (command === '') throw invalidValue('command', 'must not be empty', command)
  list(args, 'args')
  const signal = signalOf(options, 'options')
  await warmPool()
  throwIfAborted(signal)
  let child: ChildProcess
  try {
    child = native.inside(handle, () => spawn(command, args, options))
  } catch (failure) {
    throw toError(failure)
  }
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(error)
    child.once('error', onError)
    child.once('spawn', () => {
      child.off('error', onError)
      resolve(child)
    })
  })
}
