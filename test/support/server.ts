// serve.mjs as a child in any network namespace, and the clients that ask it.

import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type NetnsRef, type RunOptions, run, spawnIn } from './command.ts'

export interface ServeOptions {
  netns?: NetnsRef | undefined
  /** Comes back in every answer as `server`. */
  name?: string
  /** Default: every IPv4 address. */
  host?: string
  /** Ports; 0 lets the kernel choose. */
  http?: number
  tcp?: number
  udp?: number
}

export interface Server extends AsyncDisposable {
  readonly pid: number
  /** The ports that it listens on, by protocol. */
  readonly ports: { readonly http?: number; readonly tcp?: number; readonly udp?: number }
  /** Resolves when the process is gone. Harmless the second time. */
  stop(): Promise<void>
}

/** What a server says of the client that it saw. */
export interface Answer {
  server: string
  peer: string
  port: number
  url?: string
  message?: string
}

/** Resolves when the server listens. */
export async function serve({ netns, ...options }: ServeOptions): Promise<Server> {
  const child = spawnIn(netns, process.execPath, [join(import.meta.dirname, 'serve.mjs'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
  const gone = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  const ready = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  const line = await ready.next()
  if (line.done) {
    await stop()
    throw new Error(`no server with ${JSON.stringify(options)}: ${complaints}`)
  }
  return { pid: child.pid as number, ports: JSON.parse(line.value), stop, [Symbol.asyncDispose]: stop }
}

export interface Response {
  /** curl's exit code: 0, 7 refused, 28 nothing came in time. */
  code: number | null
  /** The HTTP status, 0 without one. */
  status: number
  body: string
  /** The body, if it is what serve.mjs says. */
  answer: Answer | undefined
}

/** Fetches with curl; `within` milliseconds for all of it. */
export async function curl(
  url: string,
  { within = 5000, args = [], ...options }: RunOptions & { within?: number; args?: readonly string[] } = {},
): Promise<Response> {
  const marks = ['--noproxy', '*', '--max-time', String(within / 1000), '--write-out', '\n%{http_code}']
  const { code, stdout } = await run('curl', ['--silent', ...marks, ...args, url], options)
  const end = stdout.lastIndexOf('\n')
  const body = stdout.slice(0, end)
  return {
    code,
    status: Number(stdout.slice(end + 1)),
    body,
    answer: body.startsWith('{') ? (JSON.parse(body) as Answer) : undefined,
  }
}

/** Sends one datagram to serve.mjs; `undefined` if nothing came back within as many milliseconds, or the kernel refused. */
export async function askUdp(
  address: string,
  port: number,
  { within = 1000, message = 'hello', ...options }: RunOptions & { within?: number; message?: string } = {},
): Promise<Answer | undefined> {
  const args = [join(import.meta.dirname, 'ask-udp.mjs'), address, String(port), message, String(within)]
  const { code, stdout } = await run(process.execPath, args, options)
  return code === 0 ? (JSON.parse(stdout) as Answer) : undefined
}

/** Whether one of `count` echo requests was answered within `within` milliseconds. */
export async function ping(
  address: string,
  { within = 2000, count = 1, ...options }: RunOptions & { within?: number; count?: number } = {},
): Promise<boolean> {
  const seconds = String(Math.ceil(within / 1000))
  const { code } = await run('ping', ['-n', '-q', '-c', String(count), '-i', '0.2', '-w', seconds, address], options)
  return code === 0
}
