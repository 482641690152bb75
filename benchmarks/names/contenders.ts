// Who answers for names: this library in the process that attaches, and two daemons that read a file again when they are told to.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { createNetwork, type Endpoint, type Network } from 'netlink-ct'

export interface NameServer {
  readonly network: Network
  /** Resolves when the contender has done what it does for a new name. */
  added(endpoint: Endpoint): Promise<void>
  /** Before the container goes. */
  removed(endpoint: Endpoint): Promise<void>
  stop(): Promise<void>
}

export interface NameContender {
  /** Why it cannot take part here. */
  readonly missing: string | undefined
  start(): Promise<NameServer>
}

const subnet = '10.9.0.0/24'
const gateway = '10.9.0.1'
const folder = '/run/names'
const pidFile = `${folder}/aardvark.pid`

/** Distributions keep them out of the way of users. */
const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/lib/podman', '/usr/libexec/podman']
const found = (program: string): string | undefined =>
  folders.map((path) => `${path}/${program}`).find((path) => existsSync(path))

const plain = { added: async () => {}, removed: async () => {} }

const ours: NameContender = {
  missing: undefined,
  async start() {
    const network = await createNetwork({
      name: 'names',
      subnets: [subnet],
      dns: { domain: 'dns.podman', servers: ['127.0.0.1:9'] },
    })
    return { ...plain, network, stop: () => network.delete({ force: true }) }
  },
}

/** Of a process that may be nobody's child here: it went into the background. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The process that serves, which tells who it is when it can be signalled: it may go into the background by itself. */
async function written(): Promise<number> {
  for (;;) {
    const pid = existsSync(pidFile) ? Number(await readFile(pidFile, 'utf8')) : 0
    if (pid > 0) return pid
    await pause(20)
  }
}

/** A daemon whose names are lines of a file: written anew for each change, as one piece, and told by SIGHUP. */
async function daemon(
  file: string,
  lines: (endpoints: Iterable<Endpoint>) => string[],
  command: readonly [program: string, ...args: string[]],
): Promise<NameServer> {
  const network = await createNetwork({ name: 'names', subnets: [subnet] })
  const endpoints = new Map<string, Endpoint>()
  let writing = Promise.resolve()
  const write = async (): Promise<void> => {
    await writeFile(`${folder}.new`, `${lines(endpoints.values()).join('\n')}\n`)
    await rename(`${folder}.new`, `${folder}/${file}`)
  }
  await mkdir(folder, { recursive: true })
  await write()
  await rm(pidFile, { force: true })
  spawn(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
  const pid = await written()
  const changed = (): Promise<void> => {
    writing = writing.then(write).then(() => void process.kill(pid, 'SIGHUP'))
    return writing
  }
  return {
    network,
    async added(endpoint) {
      endpoints.set(endpoint.name, endpoint)
      await changed()
    },
    async removed(endpoint) {
      endpoints.delete(endpoint.name)
      await changed()
    },
    async stop() {
      process.kill(pid)
      // The next one listens where it does.
      while (isAlive(pid)) await pause(20)
      await network.delete({ force: true })
    },
  }
}

const addressOf = ({ addresses }: Endpoint): string => addresses[0]?.split('/')[0] ?? ''

const dnsmasqPath = found('dnsmasq')
const dnsmasqOptions = [
  ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', `--addn-hosts=${folder}/hosts`],
  ...['--local=/dns.podman/', '--domain=dns.podman', '--expand-hosts', `--listen-address=${gateway}`, '--bind-interfaces'],
  ...['--user=root', `--pid-file=${pidFile}`, '--cache-size=1000', '--log-facility=/dev/null'],
]

const dnsmasq: NameContender = {
  missing: dnsmasqPath === undefined ? 'dnsmasq is not installed' : undefined,
  start: () =>
    daemon('hosts', (endpoints) => Array.from(endpoints, (endpoint) => `${addressOf(endpoint)} ${endpoint.name}`), [
      dnsmasqPath ?? '',
      ...dnsmasqOptions,
    ]),
}

const aardvarkPath = found('aardvark-dns')

const aardvark: NameContender = {
  missing: aardvarkPath === undefined ? 'aardvark-dns is not installed' : undefined,
  start: () =>
    daemon(
      'names',
      // The gateway first, then a line for each container: id, IPv4, IPv6, names. Without any it ends.
      (endpoints) => [
        gateway,
        `host ${gateway}  host`,
        ...Array.from(endpoints, (endpoint) => `${endpoint.name} ${addressOf(endpoint)}  ${endpoint.name}`),
      ],
      [aardvarkPath ?? '', '--config', folder, '--port', '53', 'run'],
    ),
}

export const contenders: Readonly<Record<string, NameContender>> = { 'netlink-ct': ours, 'aardvark-dns': aardvark, dnsmasq }
