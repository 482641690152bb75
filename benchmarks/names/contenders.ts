// Who answers for names: this library in the process that attaches, and two daemons that read a file again when they are told to.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
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

/** A daemon whose names are lines of a file: written anew for each change, as one piece, and told by SIGHUP. */
async function daemon(
  file: string,
  lines: (endpoints: Iterable<Endpoint>) => string[],
  run: () => Promise<{ readonly pid: number; readonly stop: () => void }>,
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
  const { pid, stop } = await run()
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
      stop()
      await network.delete({ force: true })
    },
  }
}

const addressOf = ({ addresses }: Endpoint): string => addresses[0]?.split('/')[0] ?? ''

const dnsmasqPath = found('dnsmasq')
const dnsmasqOptions = [
  ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', `--addn-hosts=${folder}/hosts`],
  ...['--local=/dns.podman/', '--domain=dns.podman', '--expand-hosts', `--listen-address=${gateway}`, '--bind-interfaces'],
  ...['--user=root', '--pid-file=', '--cache-size=1000', '--log-facility=-'],
]

const dnsmasq: NameContender = {
  missing: dnsmasqPath === undefined ? 'dnsmasq is not installed' : undefined,
  start: () =>
    daemon(
      'hosts',
      (endpoints) => Array.from(endpoints, (endpoint) => `${addressOf(endpoint)} ${endpoint.name}`),
      async () => {
        const child: ChildProcess = spawn(dnsmasqPath ?? '', dnsmasqOptions, { stdio: 'ignore' })
        return { pid: child.pid ?? 0, stop: () => child.kill() }
      },
    ),
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
      async () => {
        spawn(aardvarkPath ?? '', ['--config', folder, '--port', '53', 'run'], { stdio: 'ignore' })
        // It goes into the background by itself, or not, by version.
        const pidFile = `${folder}/aardvark.pid`
        const written = async (): Promise<number> => (existsSync(pidFile) ? Number(await readFile(pidFile, 'utf8')) : 0)
        let pid = await written()
        for (; pid === 0; pid = await written()) await new Promise((resolve) => setTimeout(resolve, 20))
        return { pid, stop: () => void process.kill(pid) }
      },
    ),
}

export const contenders: Readonly<Record<string, NameContender>> = { 'netlink-ct': ours, 'aardvark-dns': aardvark, dnsmasq }
