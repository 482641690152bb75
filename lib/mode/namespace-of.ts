// The namespace of a container, found by the container's name: this process made it, or the kernel's number for it leads there.

import { readdir, stat } from 'node:fs/promises'
import type { Netns } from '../netns/netns.ts'
import { listNetns, openNetns } from '../netns/registry.ts'
import { LanNetwork } from '../network/driver/lan.ts'
import { NetworkError } from '../network/errors.ts'
import { endpointAltname } from '../network/label.ts'
import { listNetworks } from '../network/list.ts'

/** By name: containers of this process that are in no network, which only it knows. */
const own = new Map<string, Netns>()

/** Until the container is detached. Of two of one name the later one counts. */
export function rememberNamespace(name: string, netns: Netns): () => void {
  own.set(name, netns)
  return () => {
    if (own.get(name) === netns) own.delete(name)
  }
}

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** The numbers that the host has for the namespaces of containers of that name, in whatever networks. */
async function numbersOf(host: Netns, name: string): Promise<Set<number>> {
  const networks = await listNetworks({ host })
  const altnames = new Set(networks.map((network) => endpointAltname(network.name, name)))
  const links = await host.listLinks({ kind: 'veth' })
  const ends = links.filter((link) => link.altnames.some((altname) => altnames.has(altname)))
  const onWire = networks.filter((network) => network instanceof LanNetwork).map((network) => network.namespaceNumber(name))
  const numbers = [...ends.map(({ peerNetnsid }) => peerNetnsid), ...(await Promise.all(onWire))]
  return new Set(numbers.filter((number) => number !== undefined))
}

/** Paths of namespaces that have a name or a process, each once. */
async function* places(): AsyncGenerator<string> {
  const seen = new Set<bigint>()
  for (const { path, inode } of await listNetns()) {
    seen.add(inode)
    yield path
  }
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const path = `/proc/${pid}/ns/net`
    try {
      const { ino } = await stat(path, { bigint: true })
      if (seen.has(ino)) continue
      seen.add(ino)
      yield path
    } catch (error) {
      // It ended, or is somebody else's.
      if (!isCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) throw error
    }
  }
}

async function openByNumber(host: Netns, number: number): Promise<Netns | undefined> {
  for await (const path of places()) {
    const netns = await openNetns({ path }).catch((error: unknown) => {
      if (!isCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL')) throw error
    })
    if (netns === undefined) continue
    if ((await host.getNsid(netns)) === number) return netns
    await netns.close()
  }
  return undefined
}

/** Held by a descriptor of its own. CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS. */
export async function namespaceOf(host: Netns, name: string): Promise<Netns> {
  const known = own.get(name)
  if (known !== undefined && !known.closed) return openNetns({ path: known.path })
  const numbers = await numbersOf(host, name)
  const [number] = numbers
  if (number === undefined)
    throw new NetworkError('CONTAINER_NOT_FOUND', `no network of the host has a container '${name}', and this process made none`)
  if (numbers.size > 1) {
    const why = `${numbers.size} namespaces have an endpoint '${name}', in different networks: give the one that is meant as netns`
    throw new NetworkError('CONTAINER_AMBIGUOUS', why)
  }
  const found = await openByNumber(host, number)
  if (found !== undefined) return found
  const why = `the namespace of '${name}' has neither a name under /run/netns nor a process that this one may see`
  throw new NetworkError('CONTAINER_NOT_FOUND', `${why}: give it as netns`)
}
