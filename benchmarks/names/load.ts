// Asks for names from inside of containers, so many times a second: node --import tsx load.ts PLAN. PLAN is JSON, see Plan; prints one line of JSON
// when it is ready, begins with the first line that it reads, and prints a Load when it is over.

import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { openNetns } from 'netlink-ct'

export interface Plan {
  /** Namespaces of the containers that ask. */
  readonly paths: readonly string[]
  readonly server: string
  /** Queries a second, of all together. */
  readonly rate: number
  readonly seconds: number
  /** Names that are there all the time, and their addresses. */
  readonly stable: readonly (readonly [name: string, address: string])[]
  /** Names that come and go; one query of four is for these. */
  readonly passing: readonly string[]
}

/** An answer about a name that comes and goes: asked and answered when (in µs), for which, with what: its address, or none. */
export type Sample = readonly [asked: number, answered: number, name: number, address: string | null | undefined]

export interface Load {
  readonly sent: number
  readonly lost: number
  readonly wrong: number
  /** In µs, sorted. */
  readonly latencies: readonly number[]
  readonly samples: readonly Sample[]
}

export const now = (): number => Number(process.hrtime.bigint()) / 1000

/** The first seconds, in µs, whose answers count but not their time: V8 compiles what is measured. */
const warmUp = 2e6

/** How long, in milliseconds, an answer may take. */
const patience = 2000

function queryFor(name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)])
  return Buffer.concat([Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.of(0, 0, 1, 0, 1)])
}

/** The address at the end of an answer that has one; undefined for the absence of the name; null for everything else. */
function addressIn(answer: Buffer): string | undefined | null {
  const rcode = answer.readUInt16BE(2) & 15
  if (answer.readUInt16BE(6) === 0) return rcode === 3 ? undefined : null
  // Of one record without EDNS the last bytes.
  return rcode === 0 && answer.readUInt16BE(6) === 1 ? [...answer.subarray(-4)].join('.') : null
}

interface Pending {
  readonly asked: number
  readonly subject: number
}

async function load({ paths, server, rate, seconds, stable, passing }: Plan): Promise<Load> {
  const subjects = [...stable.map(([name]) => name), ...passing].map((name) => queryFor(`${name}.dns.podman`))
  const latencies: number[] = []
  const samples: Sample[] = []
  let [wrong, sent] = [0, 0]
  let begin = 0
  const clients = await Promise.all(
    paths.map(async (path) => {
      const netns = await openNetns({ path })
      const socket: Socket = await netns.bindUdp({ receiveBuffer: 4 * 1024 * 1024 })
      const pending = new Map<number, Pending>()
      socket.on('message', (answer) => {
        const answered = now()
        const id = answer.readUInt16BE()
        const one = pending.get(id)
        if (one === undefined) return
        pending.delete(id)
        if (one.asked - begin > warmUp) latencies.push(answered - one.asked)
        const address = addressIn(answer)
        const expected = stable[one.subject]?.[1]
        if (address === null || (expected !== undefined && address !== expected)) wrong++
        else if (expected === undefined) samples.push([one.asked, answered, one.subject - stable.length, address])
      })
      return { netns, socket, pending, id: 0 }
    }),
  )
  console.log('ready')
  await once(createInterface({ input: process.stdin }), 'line')
  begin = now()
  for (;;) {
    const elapsed = (now() - begin) / 1e6
    const due = Math.floor(Math.min(elapsed, seconds) * rate)
    for (; sent < due; sent++) {
      const client = clients[sent % clients.length]
      if (client === undefined) break
      const turn = Math.floor(sent / 4)
      const subject = sent % 4 === 3 ? stable.length + (turn % passing.length) : (sent * 7 + turn) % stable.length
      const query = Buffer.from(subjects[subject] ?? [])
      client.id = (client.id + 1) & 0xffff
      query.writeUInt16BE(client.id)
      client.pending.set(client.id, { asked: now(), subject })
      client.socket.send(query, 53, server)
    }
    if (elapsed >= seconds) break
    await pause(1)
  }
  await pause(patience)
  const lost = clients.reduce((sum, { pending }) => sum + pending.size, 0)
  for (const { socket, netns } of clients) {
    socket.close()
    await netns.close()
  }
  return { sent, lost, wrong, latencies: latencies.sort((a, b) => a - b), samples }
}

if (process.argv[1] === import.meta.filename) {
  const result = JSON.stringify(await load(JSON.parse(process.argv[2] ?? '') as Plan))
  await new Promise((resolve) => process.stdout.write(`${result}\n`, resolve))
  process.exit()
}
