// A small world made with the outside tools only, inside the sandbox of `npm test`:
//
//   lan (192.0.2.9) ─── lan0 192.0.2.1 [ host ] 203.0.113.2 wan0 ─── internet (203.0.113.9, HTTP on port 80)
//
// The host is the namespace that this process lives in. Its default route points at the internet; the lan has none, as a neighbor that
// knows only its own wire.

import { inSandbox } from '../../scripts/sandbox.mjs'
import { json, output, run } from './command.ts'
import { type ServeOptions, type Server, serve } from './server.ts'

export { json, type NetnsRef, netnsPath, type Outcome, output, type RunOptions, run, spawnIn } from './command.ts'
export { type KernelState, kernelState } from './kernel-state.ts'
export { type Answer, askUdp, curl, ping, type Response, type ServeOptions, type Server, serve } from './server.ts'
export { readSysctl, writeSysctl } from './sysctl.ts'

export interface Lab extends AsyncDisposable {
  /** The names of the two other namespaces. */
  readonly lan: 'lan'
  readonly internet: 'internet'
  readonly hostLanAddress: '192.0.2.1'
  readonly hostWanAddress: '203.0.113.2'
  readonly lanAddress: '192.0.2.9'
  readonly internetAddress: '203.0.113.9'
  /** As {@link serve}, and stopped with the lab. */
  serve(options: ServeOptions): Promise<Server>
  /** Tells the lan that `subnet` is behind the host, as a router or a curious neighbor would. */
  routeFromLan(subnet: string): Promise<void>
}

const world = `
link set lo up
link add lan0 type veth peer name eth0 netns lan
link add wan0 type veth peer name eth0 netns internet
address add 192.0.2.1/24 dev lan0
address add 203.0.113.2/24 dev wan0
link set lan0 up
link set wan0 up
`
const inside = (address: string): string => `
link set lo up
address add ${address}/24 dev eth0
link set eth0 up
`

async function dismantle(servers: readonly Server[], wasLoopbackUp: boolean): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
  // Links first: those of a deleted namespace go in the kernel's own time. What a test has removed already is no error.
  await run('ip', ['-force', '-batch', '-'], {
    input: ['link delete lan0', 'link delete wan0', ...(wasLoopbackUp ? [] : ['link set lo down'])].join('\n'),
  })
  await run('ip', ['-force', '-batch', '-'], { input: 'netns delete lan\nnetns delete internet' })
}

export async function createLab(): Promise<Lab> {
  if (!inSandbox()) throw new Error('a lab is made in a sandbox only: npm test')
  const servers: Server[] = []
  const [loopback] = await json<{ flags: string[] }[]>('ip', ['link', 'show', 'dev', 'lo'])
  const wasLoopbackUp = loopback?.flags.includes('UP') ?? false
  const dispose = (): Promise<void> => dismantle(servers.splice(0), wasLoopbackUp)
  const lab: Lab = {
    lan: 'lan',
    internet: 'internet',
    hostLanAddress: '192.0.2.1',
    hostWanAddress: '203.0.113.2',
    lanAddress: '192.0.2.9',
    internetAddress: '203.0.113.9',
    async serve(options) {
      const server = await serve(options)
      servers.push(server)
      return server
    },
    async routeFromLan(subnet) {
      await output('ip', ['route', 'add', subnet, 'via', '192.0.2.1'], { netns: 'lan' })
    },
    [Symbol.asyncDispose]: dispose,
  }
  try {
    await output('ip', ['-batch', '-'], { input: 'netns add lan\nnetns add internet' })
    await output('ip', ['-batch', '-'], { input: world })
    await Promise.all([
      output('ip', ['-batch', '-'], { input: inside(lab.lanAddress), netns: lab.lan }),
      output('ip', ['-batch', '-'], { input: inside(lab.internetAddress), netns: lab.internet }),
      output('ip', ['route', 'add', 'default', 'via', lab.internetAddress]),
    ])
    await lab.serve({ netns: lab.internet, name: 'internet', http: 80, udp: 53 })
  } catch (error) {
    await dispose()
    throw error
  }
  return lab
}
