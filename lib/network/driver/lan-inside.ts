// What a container's device gets inside: settings, addresses, the way out.

import { firstRefusal, isRefusal as isKernelRefusal, kernel, NetlinkError } from '../../errors.ts'
import { type Attached, type Message, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { rolledBack } from '../../roll-back.ts'
import { addressMessage } from '../../rtnetlink/address.ts'
import * as c from '../../rtnetlink/constants.ts'
import { routeChange } from '../../rtnetlink/route/route.ts'
import { announceSysctls, eraseTraces, type Traces } from '../attach/finish.ts'
import { type PlanRoute, type PlanSysctls, routeSpec, setsReversePathFilter } from '../attach/inside.ts'

const loopback = 1
/** IPV4_DEVCONF_RP_FILTER. */
const rpFilter = 8
const loose = 2

export interface LanConfiguration {
  readonly index: number
  readonly ifname: string
  readonly alias: string
  /** In CIDR. */
  readonly addresses: readonly string[]
  /** The default ones, too. */
  readonly routes: readonly PlanRoute[]
  readonly sysctls: PlanSysctls
  /** Whether the wire is told of its addresses as it comes up: they may have been another machine's. */
  readonly announce: boolean
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** All or nothing; resolves to what is left inside when the device goes. */
export async function configure(netns: Netns, configuration: LanConfiguration): Promise<Traces> {
  const traces: Writable<Traces> = { sysctlsBefore: [], loopbackWasDown: false, routes: [] }
  await rolledBack(
    async () => {
      const before: Attached['sysctlsBefore'][number][] = []
      traces.sysctlsBefore = before
      await writeSettings(netns, configuration, (setting) => before.push(setting))
      traces.loopbackWasDown = !(await netns.getLink(loopback)).up
      const { routes } = configuration
      const first = firstMessages(configuration)
      const outcomes = await kernel(native.submit(Netns.handleOf(netns), [...first, ...routeMessages(configuration)]))
      // The kernel goes on after an error: only routes that are ours are taken back.
      traces.routes = routes.filter((_, at) => outcomes[first.length + at]?.error === undefined)
      const refusal = firstRefusal(outcomes)
      if (refusal !== undefined) throw new NetlinkError(refusal)
    },
    () => eraseTraces(netns, traces),
  )
  return traces
}

function firstMessages({ index, alias, addresses, sysctls }: LanConfiguration): Message[] {
  const up = (which: number, step: string): Message => ({
    type: 'RTM_SETLINK',
    flags: 0,
    body: { index: which, flags: c.IFF_UP, change: c.IFF_UP },
    step,
  })
  // Strict, a container in several networks drops what came through one that is not its way out.
  const conf = setsReversePathFilter(sysctls) ? [] : [...new Array<undefined>(rpFilter - 1).fill(undefined), loose]
  const settings = conf.length === 0 ? {} : { afSpec: { inet: { conf } } }
  return [
    { type: 'RTM_SETLINK', flags: 0, body: { index, alias, group: 0, ...settings }, step: "write the endpoint's alias" },
    ...addresses.map((address) => addressMessage(index, address, address.includes(':') ? { nodad: true } : {}, 'address')),
    up(loopback, 'set the loopback inside up'),
    up(index, 'set the device inside up'),
  ]
}

const routeMessages = ({ index, routes }: LanConfiguration): Message[] =>
  routes.flatMap((route) => {
    const step = route.prefixLength === 0 ? 'add the default route inside' : 'add a route inside'
    const [message] = routeChange('add', routeSpec(route, index)).build(() => index)
    return message === undefined ? [] : { ...message, step }
  })

async function writeSettings(
  netns: Netns,
  { ifname, addresses, sysctls, announce }: LanConfiguration,
  remember: (before: Attached['sysctlsBefore'][number]) => void,
): Promise<void> {
  const ipv6 = addresses.some((address) => address.includes(':'))
  // Before it comes up: of a device without IPv6 nothing of it is heard.
  const settings = ipv6 ? { accept_ra: 0, accept_dad: 0, disable_ipv6: 0 } : { disable_ipv6: 1 }
  for (const [key, value] of Object.entries(settings)) {
    try {
      await netns.setSysctl(`net/ipv6/conf/${ifname}/${key}`, value)
    } catch (error) {
      // A kernel without IPv6 has nothing to turn off.
      if (ipv6 || !(error instanceof NetlinkError && error.code === 'ENOENT')) throw error
    }
  }
  const handle = Netns.handleOf(netns)
  for (const { path, value, ofDevice } of [...(announce ? announceSysctls(ifname, ipv6) : []), ...sysctls]) {
    await told(`set net/${path} to ${value} inside`, async () => {
      const before = ofDevice ? undefined : await native.getSysctl(handle, path)
      await native.setSysctl(handle, path, value)
      if (before !== undefined) remember({ path, value: before })
    })
  }
}

/** The kernel's refusal, with what it was a part of. */
async function told(step: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (failure) {
    throw isKernelRefusal(failure) ? new NetlinkError({ ...failure, step }) : failure
  }
}
