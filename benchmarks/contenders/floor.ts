// benchmarks/floor/: C that asks the kernel for no more than it must.

import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { device, makeDevice } from '../population.ts'
import type { Churn, Contender, Laps } from './contender.ts'

const folder = join(import.meta.dirname, '../floor')
const program = join(import.meta.dirname, '../../build/bench/floor')

/** Compiles it, when it is missing or older than its sources. */
export function buildFloor(): void {
  const sources = readdirSync(folder).map((name) => join(folder, name))
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs
  if (built !== undefined && sources.every((source) => statSync(source).mtimeMs < built)) return
  mkdirSync(dirname(program), { recursive: true })
  const units = sources.filter((source) => source.endsWith('.c'))
  const fresh = `${program}.${process.pid}`
  const { status } = spawnSync(
    process.env['CC'] ?? 'cc',
    ['-std=gnu17', '-O2', '-Wall', '-Wextra', '-o', fresh, ...units, '-lmnl'],
    {
      stdio: ['ignore', process.stderr, process.stderr],
    },
  )
  if (status !== 0) throw new Error('the floor could not be compiled: see above')
  renameSync(fresh, program)
}

async function ask<Answer>(...args: string[]): Promise<Answer> {
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 2 ** 26 })
  return JSON.parse(stdout) as Answer
}

// It attaches one after another whatever is asked: the kernel does no two at a time.
function churn({ containers, ports, detach }: Churn): Promise<Laps> {
  const removal = detach === undefined ? 'keep' : detach === 1 ? 'each' : 'group'
  return ask('churn', String(containers), removal, ...(ports ? ['ports'] : []))
}

export const floor: Contender = {
  churn,
  publish: async (ports) => (await ask<{ publish: number[] }>('publish', String(ports))).publish,
  list: async (subject, times) => (await ask<{ list: number[] }>('list', String(times), subject)).list,
  addRoutes: async (routes, how) => {
    await makeDevice()
    const { laps } = await ask<{ laps: [number] }>('add-routes', String(routes), how, device)
    return laps[0]
  },
  getLink: async (times) => (await ask<{ 'get-link': number[] }>('get-link', String(times)))['get-link'],
}
