// How to see for oneself what the demo has built.

import { readFileSync } from 'node:fs'
import { addressOf, type Containers, published } from './network.ts'
import { internetPlace, lanPlace, type Surroundings } from './surroundings.ts'
import type { Server } from './talk.ts'

/** Whether the sandbox is a user namespace: then nsenter(1) has to enter that as well. */
const isUserNamespace = (): boolean => !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))

export function lookAround({ web, app }: Containers, { lan }: Surroundings, server: Server): string[] {
  const enter = isUserNamespace() ? 'nsenter --user --preserve-credentials' : 'nsenter'
  const own = `--target ${process.pid}`
  return [
    '',
    'the host, with the LAN and the internet at its ends:',
    `  ${enter} ${own} --net --mount`,
    '    ip -brief address; ip route; bridge link; nft list table inet netlink-ct',
    `    curl http://localhost:${published}/`,
    `    nsenter --net=${lan.path} curl http://${lanPlace.hostAddress}:${published}/`,
    '',
    'the container web, through its process:',
    `  ${enter} --target ${server.pid} --net`,
    '    ip -brief address; ip route; ss -tlnp',
    '',
    'the container app, which has no process: the demo holds its namespace open:',
    `  ${enter} ${own} --mount --net=${app.netns?.path}`,
    `    curl http://${addressOf(web)}/; curl http://${internetPlace.address}/`,
    '',
  ]
}
