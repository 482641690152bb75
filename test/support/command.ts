// Runs the outside tools (ip, nft, bridge, ping, curl …) that the tests read the kernel with, in any network namespace.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** A namespace by its name under /run/netns, by a path, or by a process that lives in it. A `Netns` of the library fits. */
export type NetnsRef = string | { readonly path: string } | { readonly pid: number }

export interface RunOptions {
  /** Default: where this process lives. */
  netns?: NetnsRef | undefined
  /** What the command reads on its standard input. */
  input?: string
  /** Milliseconds after which the command is killed and the call rejects. */
  limit?: number
  env?: NodeJS.ProcessEnv
}

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

export function netnsPath(ref: NetnsRef): string {
  if (typeof ref === 'string') return `/run/netns/${ref}`
  return 'path' in ref ? ref.path : `/proc/${ref.pid}/ns/net`
}

/**
 * `command` as a child in `netns`. By nsenter and not `ip netns exec`: that wants to mount /sys anew, which a user namespace may not. It execs
 * the command, so the pid is the command's.
 */
export function spawnIn(
  netns: NetnsRef | undefined,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env }
  // A sanitizer's run-time library is for the Node that loads the addon. It would find leaks in other people's programs.
  if (netns !== undefined || command !== process.execPath) delete env['LD_PRELOAD']
  if (netns === undefined) return spawn(command, args, { ...options, env })
  return spawn('nsenter', [`--net=${netnsPath(netns)}`, command, ...args], { ...options, env })
}

/** Runs a command to its end, whatever that is. Rejects only if it could not be started or took longer than `limit`. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { netns, input = '', limit = 20_000, env = {} } = options
  return new Promise((resolve, reject) => {
    const child = spawnIn(netns, command, args, { env, stdio: 'pipe' })
    const outcome: Outcome = { code: null, stdout: '', stderr: '' }
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (outcome.stdout += chunk))
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (outcome.stderr += chunk))
    const watchdog = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${[command, ...args].join(' ')}: no result after ${limit} ms\n${outcome.stderr}`))
    }, limit)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(watchdog)
      resolve({ ...outcome, code })
    })
    // A command that ends without reading its input is no error.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Runs a command that must succeed; resolves with what it printed. */
export async function output(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')}: exit code ${code}\n${stderr}`)
  return stdout
}

/** Runs `ip`, `bridge` or `nft` with `-j` and parses the answer; `ip` says nothing at all for some empty lists. */
export async function json<T = Record<string, unknown>[]>(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<T> {
  const text = await output(command, ['-j', ...args], options)
  return JSON.parse(text.trim() || '[]') as T
}
