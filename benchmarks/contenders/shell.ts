// benchmarks/recipe.sh: what a tutorial tells to type. One shell runs all of it, so that no start of a shell is counted against it.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { address, device, ipBatch, makeDevice, type Subject } from '../population.ts'
import type { Churn, Contender, Laps } from './contender.ts'

const recipe = join(import.meta.dirname, '../recipe.sh')

async function run(...args: string[]): Promise<number> {
  const start = performance.now()
  await promisify(execFile)('sh', [recipe, ...args])
  return (performance.now() - start) * 1000
}

async function churn({ containers, attach = 1, ports, detach }: Churn): Promise<Laps> {
  const all = String(containers)
  await run('network')
  const attached = await run(attach === 1 ? 'attach' : 'attach-at-once', all, ports ? 'publish' : '')
  const detached = detach === undefined ? [] : [await run(detach === 1 ? 'detach' : 'detach-at-once', all)]
  return { attach: [attached / containers], detach: detached.map((time) => time / containers) }
}

/** A program's way to the objects: `ip -j`, and its text parsed. */
async function ip(...args: string[]): Promise<number> {
  const start = performance.now()
  const { stdout } = await promisify(execFile)('ip', ['-j', ...args], { maxBuffer: 2 ** 28 })
  JSON.parse(stdout || '[]')
  return (performance.now() - start) * 1000
}

async function again(times: number, ...args: string[]): Promise<number[]> {
  const laps: number[] = []
  for (let time = 0; time < times; time++) laps.push(await ip(...args))
  return laps
}

const lists: Readonly<Record<Subject, readonly string[]>> = {
  links: ['-d', 'link', 'show'],
  routes: ['-d', '-4', 'route', 'show'],
  addresses: ['-d', '-4', 'address', 'show'],
}

async function getLink(times: number): Promise<number[]> {
  await makeDevice()
  return again(times, '-d', 'link', 'show', 'dev', device)
}

async function addRoutes(routes: number, how: 'batch' | 'singly'): Promise<number> {
  await makeDevice()
  const all = Array.from({ length: routes }, (_, number) => ['route', 'add', `${address(number)}/32`, 'dev', device])
  const start = performance.now()
  if (how === 'batch') await ipBatch(all.map((words) => words.join(' ')))
  else for (const words of all) await promisify(execFile)('ip', words)
  return (performance.now() - start) * 1000
}

export const shell: Contender = { churn, getLink, addRoutes, list: (subject, times) => again(times, ...lists[subject]) }
