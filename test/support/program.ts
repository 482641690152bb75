// Small programs over the library, in processes of their own: to be killed, confined, or looked at from outside.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Outcome, run } from './command.ts'

const library = pathToFileURL(join(import.meta.dirname, '../../lib/index.ts')).href

export interface ProgramOptions {
  /** A command that execs the program: `['unshare', '--user']`. */
  within?: readonly string[]
  nodeOptions?: readonly string[]
  limit?: number
}

/** Runs the text of a module in which `ct` is the library and `net()` tells the namespace that a thread of the process is in. */
export async function runProgram(source: string, options: ProgramOptions = {}): Promise<Outcome> {
  const { within = [], nodeOptions = [], limit = 60_000 } = options
  const text = `import * as ct from ${JSON.stringify(library)}
    import { readdirSync, readlinkSync } from 'node:fs'
    const net = (task = process.pid) => readlinkSync('/proc/self/task/' + task + '/ns/net')
    ${source}`
  const [command = '', ...args] = nodeWithin(within, [...nodeOptions, '--import', 'tsx', '--input-type=module', '-e', text])
  return run(command, args, { limit })
}

/** The environment for other people's programs, without a sanitizer's library. */
export function plainEnv(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _, ...env } = process.env
  return env
}

/** The command line of Node under a command that execs it. */
export function nodeWithin(within: readonly string[], args: readonly string[]): string[] {
  // run() keeps a sanitizer's library from other people's programs; this one is for Node again.
  const preload = process.env['LD_PRELOAD']
  const env = preload === undefined || within.length === 0 ? [] : ['env', `LD_PRELOAD=${preload}`]
  return [...within, ...env, process.execPath, ...args]
}

/** The same for a program that prints one JSON value and must end well. */
export async function askProgram<T>(source: string, options: ProgramOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await runProgram(source, options)
  if (code !== 0) throw new Error(`the program ended with exit code ${code}\n${stderr}`)
  return JSON.parse(stdout) as T
}
