// resolv.conf(5): whom the host asks, as it stands in the file now.

import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { warn } from '../diagnostics/warning.ts'
import { parseServer, type ServerAddress } from './options.ts'

export interface ResolvConf {
  readonly servers: readonly string[]
  readonly search: readonly string[]
  /** `['ndots:1', 'edns0']` */
  readonly options: readonly string[]
}

/** By the rules of glibc: keywords at the start of a line, the last `search` or `domain` counts, and of servers the first three. */
export function parseResolvConf(text: string): ResolvConf {
  const rows = text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trimEnd()
      .split(/[ \t]+/),
  )
  const values = (...keywords: string[]): string[][] =>
    rows.filter(([word = '']) => keywords.includes(word)).map((row) => row.slice(1))
  const servers = values('nameserver').flatMap(([address = '']) => (isIP(address.split('%')[0] ?? '') === 0 ? [] : [address]))
  return { servers: servers.slice(0, 3), search: values('search', 'domain').at(-1) ?? [], options: values('options').flat() }
}

/** How long, in milliseconds, the file is believed to be as it was. */
const fresh = 250

/**
 * A file that is looked at again when it is needed, at most four times a second: a watch would miss a file that is mounted over it, or that a
 * link leads to elsewhere.
 */
export class HostServers {
  readonly #path: string
  #servers: readonly ServerAddress[] = []
  #version = ''
  #checked = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  constructor(path: string) {
    this.#path = path
  }

  async servers(): Promise<readonly ServerAddress[]> {
    if (performance.now() - this.#checked > fresh) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
    return this.#servers
  }

  async #read(): Promise<void> {
    try {
      const { mtimeNs, ino, dev, size } = await stat(this.#path, { bigint: true })
      const version = [mtimeNs, ino, dev, size].join(' ')
      if (version !== this.#version) {
        const { servers } = parseResolvConf(await readFile(this.#path, 'utf8'))
        // A link-local server needs its device, which is told by no address.
        this.#servers = servers.filter((one) => !one.includes('%')).map((one) => parseServer(one, this.#path))
        this.#version = version
      }
    } catch (error) {
      // A host without the file asks nobody.
      if (this.#version !== 'none') warn({ source: 'library', operation: `read ${this.#path}`, message: String(error) })
      this.#servers = []
      this.#version = 'none'
    }
    this.#checked = performance.now()
  }
}
