// knocker.mjs as a child.

import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type NetnsRef, spawnIn } from '../../support/command.ts'

export interface Knocker extends AsyncDisposable {
  /** Resolves when it knocks at the ports of the addresses. */
  knock(addresses: readonly string[], ...ports: readonly number[]): Promise<void>
  /** Stops; `heard` are `box at 192.0.2.1 8080/udp`, everyone who answered meanwhile, and `rest` is who answers at that port, by address. */
  rest(port: number): Promise<{ readonly heard: readonly string[]; readonly rest: readonly string[] }>
}

export async function knockFrom(netns: NetnsRef): Promise<Knocker> {
  const child = spawnIn(netns, process.execPath, [join(import.meta.dirname, 'knocker.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  const answer = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the knocker is gone')
    return value
  }
  const ask = async (command: unknown): Promise<unknown> => {
    child.stdin?.write(`${JSON.stringify(command)}\n`)
    return JSON.parse(await answer())
  }
  await answer()
  return {
    async knock(addresses, ...ports) {
      await ask({ addresses, knock: ports })
    },
    rest: async (port) => (await ask({ rest: port })) as Awaited<ReturnType<Knocker['rest']>>,
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await gone
    },
  }
}
