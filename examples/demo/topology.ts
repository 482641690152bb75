// The network as a drawing, of what the library says there is.

import type { Containers } from './network.ts'
import { internetPlace, lanPlace } from './surroundings.ts'

const left = 34
const right = 34

/** Two columns, each centered on its wire. */
function columns(a: string, b: string): string {
  const center = (text: string, width: number): string => {
    const before = Math.floor((width - text.length) / 2)
    return `${' '.repeat(Math.max(0, before))}${text}`.padEnd(width)
  }
  return `${center(a, left)}${center(b, right)}`.trimEnd()
}

const framed = (text: string): string => `  │${text.padEnd(left + right).slice(3, left + right - 1)}│`

export function topology({ network, web, app }: Containers): string[] {
  const [port] = web.ports
  const wire = columns('│', '│')
  const horizontal = '─'.repeat(left + right - 4)
  /** Where the wires cross the frame of the host. */
  const edge = (begin: string, end: string, joint: string): string => {
    const line = [...`  ${begin}${horizontal}${end}`]
    for (const [at, character] of [...wire].entries()) if (character === '│') line[at] = joint
    return line.join('')
  }
  const fork = [...wire].map((character, at, all) => {
    if (character === '│') return at < left ? '┌' : '┐'
    const wires = [all.indexOf('│'), all.lastIndexOf('│')] as const
    if (at === Math.floor((wires[0] + wires[1]) / 2)) return '┴'
    return at > wires[0] && at < wires[1] ? '─' : ' '
  })
  const middle = fork.indexOf('┴')
  const bridge = `${network.bridge} ${network.gateways[0]}`
  const centered = `${' '.repeat(middle - Math.floor(bridge.length / 2))}${bridge}`
  return [
    columns(`LAN neighbor ${lanPlace.address}`, `internet ${internetPlace.address}`),
    columns('eth0', 'eth0'),
    wire,
    edge('┌', '┐', '┴'),
    framed(columns(`${lanPlace.hostIfname} ${lanPlace.hostAddress}`, `${internetPlace.hostIfname} ${internetPlace.hostAddress}`)),
    framed(columns(`published ${port?.hostPort} → ${web.name}:${port?.containerPort}`, 'way out: masqueraded')),
    framed(''),
    framed(centered),
    framed(fork.join('')),
    framed(columns(web.hostIfname, app.hostIfname)),
    edge('└', '┘', '┬'),
    wire,
    columns(`eth0 ${web.addresses[0]}`, `eth0 ${app.addresses[0]}`),
    columns(`container ${web.name}`, `container ${app.name}`),
  ]
}
