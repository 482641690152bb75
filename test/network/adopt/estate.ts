// A bridge that somebody else has, made with the outside tools only, on the host of the lab:
//
//   router 192.168.50.1 ── up0 ┐
//                              ├─ br0 192.168.50.5 [ host ] lan0 ── lan
//   vm 192.168.50.20 ──── tap0 ┘
//
// The vm's way out is the host, and the lan knows the way back to it. Behind the router is 198.51.100.9, and the host knows that.
// The same in IPv6: fd00:50::1, fd00:50::5, fd00:50::20, and 2001:db8:51::9 behind the router.

import { createLab, type Lab, type NetnsRef, output, run, writeSysctl } from '../../support/lab.ts'

export interface Estate extends AsyncDisposable {
  readonly lab: Lab
}

export const ip = (lines: readonly string[], netns?: NetnsRef): Promise<string> =>
  output('ip', ['-batch', '-'], { input: lines.join('\n'), netns })

/** A machine with a port of the bridge. */
async function plug(name: string, port: string, host: number, rest: readonly string[]): Promise<void> {
  await output('ip', ['netns', 'add', name])
  await ip([`link add ${port} type veth peer name eth0 netns ${name}`, `link set ${port} master br0 up`])
  await ip(
    [
      'link set lo up',
      'link set eth0 up',
      `address add 192.168.50.${host}/24 dev eth0`,
      `address add fd00:50::${host}/64 dev eth0 nodad`,
      ...rest,
    ],
    name,
  )
}

export async function createEstate(): Promise<Estate> {
  const lab = await createLab()
  await ip(['link add br0 type bridge', 'link set br0 alias owned'])
  // Its link-local address is usable at once.
  await writeSysctl('net/ipv6/conf/br0/accept_dad', 0)
  await ip(['link set br0 up'])
  await plug('router', 'up0', 1, ['address add 198.51.100.9/32 dev lo', 'address add 2001:db8:51::9/128 dev lo nodad'])
  await plug('vm', 'tap0', 20, ['route add default via 192.168.50.5', 'route add default via fd00:50::5'])
  await ip([
    'address add 192.168.50.5/24 dev br0',
    'address add fd00:50::5/64 dev br0 nodad',
    'route add 198.51.100.0/24 via 192.168.50.1',
    'route add 2001:db8:51::/64 via fd00:50::1',
  ])
  await lab.routeFromLan('192.168.50.0/24')
  return {
    lab,
    async [Symbol.asyncDispose]() {
      // What a test has removed already is no error.
      await run('ip', ['-force', '-batch', '-'], {
        input: ['link delete up0', 'link delete tap0', 'link delete br0', 'netns delete router', 'netns delete vm'].join('\n'),
      })
      await lab[Symbol.asyncDispose]()
      await writeSysctl('net.ipv4.ip_forward', 0)
      await writeSysctl('net.ipv6.conf.all.forwarding', 0)
    },
  }
}
