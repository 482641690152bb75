// victim.mjs as children, killed by strace as they enter a certain system call. Several are kept loaded ahead, for loading takes longest.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { AllowSpec, AttachSpec, DenySpec, IsolateSpec, LanNetworkSpec, NetworkSpec, PolicySpec } from '../../../lib/index.ts'
import { output, spawnIn } from '../../support/command.ts'
import { plainEnv } from '../../support/program.ts'

export interface Lane {
  readonly addresses: readonly string[]
  readonly port: number
  readonly netns?: string
}

export type PolicyTask =
  | { readonly verb: 'allow'; readonly policy: AllowSpec }
  | { readonly verb: 'deny'; readonly policy: DenySpec }
  | { readonly verb: 'isolate'; readonly policy: IsolateSpec }
  | { readonly verb: 'applyPolicy'; readonly policy: PolicySpec }
  | { readonly verb: 'deletePolicy'; readonly policy: string }

export type Task =
  | { readonly verb: 'create'; readonly spec: NetworkSpec | LanNetworkSpec }
  | { readonly verb: 'repair' }
  | PolicyTask
  | ({ readonly network: string } & (
      | { readonly verb: 'attach'; readonly spec: AttachSpec }
      | { readonly verb: 'attachMany'; readonly specs: readonly AttachSpec[] }
      | { readonly verb: 'publish' | 'unpublish'; readonly endpoint: string; readonly ports: readonly string[] }
      | { readonly verb: 'detach'; readonly endpoint: string }
      | { readonly verb: 'detachMany'; readonly names: readonly string[] }
      | { readonly verb: 'delete' }
      /** What it attached itself, and what lives no longer than it does. */
      | { readonly verb: 'leave' | 'withdraw'; readonly spec: AttachSpec }
      /** Attaches, publishes, unpublishes and detaches without end. */
      | { readonly verb: 'churn'; readonly lanes: readonly Lane[] }
    ))

const root = join(import.meta.dirname, '../../..')

/** The library as JavaScript: it loads in a fifth of the time. Made once for a test file, and gone with its process. */
async function compile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'netlink-ct-crash-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const flags = ['--noCheck', '--declaration', 'false', '--declarationMap', 'false', '--isolatedDeclarations', 'false']
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', root, ...flags, '--outDir', join(folder, 'dist')]
  await output(process.execPath, tsc, { limit: 120_000 })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const name of ['build', 'node_modules', 'prebuilds']) await symlink(join(root, name), join(folder, name))
  return folder
}
let compiled: Promise<string> | undefined

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
async function follow(pid: number, options: readonly string[]): Promise<{ readonly gone: Promise<unknown> }> {
  const strace = spawn('strace', ['-f', ...options, '-p', String(pid)], {
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

/** The `at`th call of a system call by the thread that makes it. */
export interface Step {
  readonly syscall: string
  readonly at: number
}

const changing = ['sendto', 'openat', 'unshare']

/** Not of a question to the kernel, nor of a file that is only read. */
function changesSomething(syscall: string, line: string): boolean {
  if (syscall === 'openat') return /O_WRONLY|O_RDWR|O_CREAT/.test(line)
  const types = Array.from(line.matchAll(/nlmsg_type=([^,}]+)/g), ([, type = '']) => type)
  return syscall !== 'sendto' || types.length === 0 || !types.every((type) => type.includes('GET'))
}

/** Those of strace's lines that change something; each thread counts for itself, as strace does when it injects. */
function stepsIn(trace: string): Step[] {
  const counts = new Map<string, number>()
  const steps = new Map<string, Step>()
  for (const line of trace.split('\n')) {
    const [, thread, syscall = ''] = /^(\d+) +(\w+)\(/.exec(line) ?? []
    if (!changing.includes(syscall)) continue
    const at = (counts.get(`${thread} ${syscall}`) ?? 0) + 1
    counts.set(`${thread} ${syscall}`, at)
    if (changesSomething(syscall, line)) steps.set(`${syscall} ${at}`, { syscall, at })
  }
  return [...steps.values()]
}

export class Victims implements AsyncDisposable {
  readonly #folder: string
  readonly #library: string
  readonly #ahead: Victim[] = []

  private constructor(folder: string) {
    this.#folder = folder
    this.#library = pathToFileURL(join(folder, 'dist/index.js')).href
    for (let at = 0; at < 3; at++) this.#ahead.push(new Victim(this.#library))
  }

  static async create(): Promise<Victims> {
    compiled ??= compile()
    return new Victims(await compiled)
  }

  async #opened(task: Task): Promise<Victim> {
    this.#ahead.push(new Victim(this.#library))
    const victim = this.#ahead.shift() as Victim
    await victim.says('loaded')
    victim.tell(task)
    await victim.says('open')
    return victim
  }

  /** Has a process do the task, and kills it then. Resolves to the steps in which it changed something. */
  async killedWhenDone(task: Task): Promise<Step[]> {
    const victim = await this.#opened(task)
    const file = join(this.#folder, 'trace')
    const followed = await follow(victim.pid, ['-v', '-s', '0', '-o', file, '-e', `trace=${changing}`])
    victim.tell(task)
    await victim.says('done')
    await victim.kill()
    await followed.gone
    return stepsIn(await readFile(file, 'utf8'))
  }

  /** Kills a process as it enters a step of the task, before the kernel does anything; false when it did not come to that. */
  async killedAt(task: Task, { syscall, at }: Step): Promise<boolean> {
    const victim = await this.#opened(task)
    const rules = ['-e', `trace=${syscall}`, '-e', `inject=${syscall}:signal=SIGKILL:when=${at}`]
    const followed = await follow(victim.pid, ['-o', '/dev/null', ...rules])
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
  }
}
