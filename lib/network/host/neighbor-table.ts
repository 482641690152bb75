// How full the kernel's neighbor tables are. There is one for each family, and all namespaces share it; the initial one tells of them.

import { readFile } from 'node:fs/promises'

export interface NeighborTable {
  readonly family: 'inet' | 'inet6'
  /** With the permanent ones. */
  readonly entries: number
  /** gc_thresh3: a new entry beyond it is refused, unless it is permanent. */
  readonly limit: number
}

const tables = [
  ['inet', 'arp_cache', 'ipv4'],
  ['inet6', 'ndisc_cache', 'ipv6'],
] as const

/** The file of a namespace that is not the initial one is not there. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Those that can be seen from where this process lives. `proc` is for tests. */
export async function neighborTables(proc = '/proc'): Promise<NeighborTable[]> {
  const found: NeighborTable[] = []
  for (const [family, cache, version] of tables) {
    const statistics = await textOf(`${proc}/net/stat/${cache}`)
    const limit = await textOf(`${proc}/sys/net/${version}/neigh/default/gc_thresh3`)
    if (statistics === undefined || limit === undefined) continue
    // A line for each processor; the first column is the same in all of them, in hexadecimal.
    const [, line = ''] = statistics.split('\n')
    found.push({ family, entries: Number.parseInt(line, 16), limit: Number(limit) })
  }
  return found
}
