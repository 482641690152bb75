// Making, opening, listing and removing namespaces.

import { readdir, stat } from 'node:fs/promises'
import { type Abortable, AbortError, onlySignal } from '../abort.ts'
import { kernel, toError } from '../errors.ts'
import { integer, invalidType, onlyKey } from '../invalid.ts'
import { netnsName } from '../names.ts'
import { type NamespaceHandle, native } from '../native.ts'
import { rolledBack } from '../roll-back.ts'
import { Netns, type NetnsRef } from './netns.ts'

/** Where ip-netns(8) keeps names. */
const directory = '/run/netns'

export interface NetnsInfo {
  readonly name: string
  readonly path: string
  readonly inode: bigint
}

/**
 * The namespace where this process lives, as it was when this module was loaded. Every verb of Netns is also exported as a
 * function bound to it.
 */
export const host: Netns = new Netns(openHome(), { host: true })

function openHome(): NamespaceHandle {
  try {
    return native.home()
  } catch (failure) {
    throw toError(failure)
  }
}

/**
 * Makes a network namespace: only a loopback device in it, down.
 *
 * With a name it is bound at /run/netns/<name>, as `ip netns add` does, and stays until `deleteNetns`; EEXIST when the name is
 * taken. Without one it lives as long as the object that this resolves to, or a process inside. The kernel makes one namespace after the
 * other, of all that are asked for on the machine: one that is called off meanwhile goes again.
 */
export async function createNetns(name?: string, options: Abortable = {}): Promise<Netns> {
  if (name !== undefined) netnsName(name, 'name')
  const signal = onlySignal(options)
  const netns = new Netns(await kernel(native.create(name)), { name })
  if (!signal?.aborted) return netns
  return rolledBack(
    () => Promise.reject(new AbortError(signal)),
    async () => {
      await netns.close()
      if (name !== undefined) await deleteNetns(name)
    },
  )
}

/** Opens a namespace that exists: by name, `{ pid }`, `{ path }` or `{ fd }` (which stays the caller's). ENOENT when there is none. */
export async function openNetns(ref: NetnsRef): Promise<Netns> {
  return openNetnsOption(ref, 'ref')
}

/** @internal The same for an option, which messages call by its own name. */
export async function openNetnsOption(ref: NetnsRef, option: string): Promise<Netns> {
  if (typeof ref === 'string') {
    return new Netns(await kernel(native.open(`${directory}/${netnsName(ref, option)}`)), { name: ref })
  }
  const given = ref as { readonly path?: unknown; readonly pid?: unknown; readonly fd?: unknown }
  switch (onlyKey(ref, option, ['path', 'pid', 'fd'] as const)) {
    case 'path':
      if (typeof given.path !== 'string' || given.path === '' || given.path.includes('\0'))
        throw invalidType(`${option}.path`, 'a path', given.path)
      return new Netns(await kernel(native.open(given.path)))
    case 'pid':
      return new Netns(await kernel(native.open(`/proc/${integer(given.pid, `${option}.pid`, 1, 0x7fffffff)}/ns/net`)))
    case 'fd': {
      const fd = integer(given.fd, `${option}.fd`, 0, 0x7fffffff)
      try {
        return new Netns(native.adopt(fd))
      } catch (failure) {
        throw toError(failure)
      }
    }
  }
}

/** @internal what the caller gave for an option, and whether it was opened for that */
export async function givenNetns(
  ref: Netns | NetnsRef | undefined,
  option: string,
): Promise<{ readonly netns: Netns; readonly opened: boolean } | undefined> {
  if (ref === undefined) return undefined
  if (ref instanceof Netns) return { netns: ref, opened: false }
  return { netns: await openNetnsOption(ref, option), opened: true }
}

/** The named namespaces, sorted by name: what `ip netns list` shows. */
export async function listNetns(): Promise<NetnsInfo[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] // nobody has named one since the machine started
    throw error
  })
  const found = await Promise.all(names.sort().map(describe))
  return found.filter((info) => info !== undefined)
}

async function describe(name: string): Promise<NetnsInfo | undefined> {
  const path = `${directory}/${name}`
  try {
    const { ino } = await stat(path, { bigint: true })
    return { name, path, inode: ino }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined // removed since the folder was read
    throw error
  }
}

/** Removes the name, also one that stands for no namespace any more: the namespace goes when nobody else holds it. ENOENT when there is none of that name. */
export async function deleteNetns(name: string): Promise<void> {
  await kernel(native.unbind(netnsName(name, 'name')))
}
