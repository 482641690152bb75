// victim.mjs as children, killed by strace as they enter a certain system call. Several are kept loaded ahead, for loading takes longest.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { AttachSpec } from '../../../lib/index.ts'
import { output, spawnIn } from '../../support/command.ts'
import { plainEnv } from '../../support/program.ts'

export interface Lane {
  readonly address: string
  readonly port: string
  readonly netns?: string
}

export type Task = { readonly network: string } & (
  | { readonly verb: 'attach'; readonly spec: AttachSpec }
  | { readonly verb: 'publish'; readonly endpoint: string; readonly ports: readonly string[] }
  | { readonly verb: 'unpublish'; readonly endpoint: string; readonly ports: readonly string[] }
  | { readonly verb: 'detach'; readonly endpoint: string }
  | { readonly verb: 'delete' }
  /** Attaches, publishes, unpublishes and detaches without end. */
  | { readonly verb: 'churn'; readonly lanes: readonly Lane[] }
)

const root = join(import.meta.dirname, '../../..')

/** The library as JavaScript: it loads in a fifth of the time. */
async function compiled(): Promise<{ folder: string; url: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'netlink-ct-crash-'))
  const flags = ['--noCheck', '--declaration', 'false', '--declarationMap', 'false', '--isolatedDeclarations', 'false']
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', root, ...flags, '--outDir', join(folder, 'dist')]
  await output(process.execPath, tsc, { limit: 120_000 })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const name of ['build', 'node_modules', 'prebuilds']) await symlink(join(root, name), join(folder, name))
  return { folder, url: pathToFileURL(join(folder, 'dist/index.js')).href }
}

class Victim {
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>
  readonly #lines: NodeJS.AsyncIterator<string>
  #complaints = ''

  constructor(library: string) {
    const script = join(import.meta.dirname, 'victim.mjs')
    this.#child = spawnIn(undefined, process.execPath, [script, library], { stdio: 'pipe' })
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.#complaints += chunk))
    this.#child.stdin?.on('error', () => {})
    this.#gone = once(this.#child, 'close')
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  }

  /** Whether it said the word; false when it is gone. */
  async says(word: string): Promise<boolean> {
    const { value, done } = await this.#lines.next()
    if (done) {
      if (this.#complaints !== '') throw new Error(`the victim failed: ${this.#complaints}`)
      return false
    }
    if (value !== word) throw new Error(`the victim said '${value}', not '${word}'`)
    return true
  }

  tell(task: Task): void {
    this.#child.stdin?.write(`${JSON.stringify(task)}\n`)
  }

  get pid(): number {
    return this.#child.pid as number
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }
}

/** Resolves when strace follows every thread of the process. */
async function follow(pid: number, syscall: string, at: number): Promise<{ readonly gone: Promise<unknown> }> {
  const rules = ['-e', `trace=${syscall}`, '-e', `inject=${syscall}:signal=SIGKILL:when=${at}`]
  const strace = spawn('strace', ['-f', '-o', '/dev/null', ...rules, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: plainEnv(),
  })
  const gone = once(strace, 'close')
  let said = ''
  for await (const chunk of strace.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += String(chunk)
    if (/Process \d+ attached/.test(said)) {
      strace.stderr.resume()
      return { gone }
    }
  }
  throw new Error(`strace did not attach: ${said}`)
}

export class Victims implements AsyncDisposable {
  readonly #folder: string
  readonly #library: string
  readonly #ahead: Victim[] = []

  private constructor(folder: string, library: string) {
    this.#folder = folder
    this.#library = library
    for (let at = 0; at < 3; at++) this.#ahead.push(new Victim(library))
  }

  static async create(): Promise<Victims> {
    const { folder, url } = await compiled()
    return new Victims(folder, url)
  }

  async #opened(task: Task): Promise<Victim> {
    this.#ahead.push(new Victim(this.#library))
    const victim = this.#ahead.shift() as Victim
    await victim.says('loaded')
    victim.tell(task)
    await victim.says('open')
    return victim
  }

  /** Kills a process as it enters the `at`th such system call of the task, before the kernel does anything; false when there are fewer. */
  async killedAt(task: Task, syscall: string, at: number): Promise<boolean> {
    const victim = await this.#opened(task)
    const followed = await follow(victim.pid, syscall, at)
    victim.tell(task)
    const isDone = await victim.says('done')
    await victim.kill()
    await followed.gone
    return !isDone
  }

  /** Kills a process that many milliseconds after it began. */
  async killedAfter(task: Task, milliseconds: number): Promise<void> {
    const victim = await this.#opened(task)
    victim.tell(task)
    const end = performance.now() + milliseconds
    while (performance.now() < end) await new Promise(setImmediate)
    await victim.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#ahead.splice(0).map((victim) => victim.kill()))
    await rm(this.#folder, { recursive: true })
  }
}
