// wire.py as a child in any network namespace: Node.js has no raw sockets.

import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type NetnsRef, spawnIn } from '../../support/command.ts'

interface Addressed {
  /** The MAC it goes to. */
  readonly to: string
  /** The MAC it comes from; absent: the device's own. */
  readonly mac?: string
  /** A tag of 802.1Q. */
  readonly vlan?: number
  readonly source: string
  readonly destination: string
}

/** By which it is recognized wherever it arrives. */
interface Marked {
  readonly mark?: string
}

export type Packet = Addressed &
  Marked &
  (
    | { readonly kind: 'tcp' | 'udp'; readonly from: number; readonly port: number }
    | { readonly kind: 'echo'; readonly from: number }
  )

/** A packet, or an ICMP error about one; the mark of that starts with `error`. */
export type Probe = Packet | (Addressed & Marked & { readonly kind: 'error'; readonly inner: Packet })

export type Frame =
  | Probe
  | (Addressed & { readonly kind: 'router'; readonly prefix: string })
  /** A neighbor advertisement, or an ARP reply, that `target` is at this device's MAC, or at `claims`. */
  | (Addressed & { readonly kind: 'neighbor' | 'arp'; readonly target: string } & Claim)
  /** An ARP request for `destination` from who has `target`; a neighbor solicitation for `target` from who has `source`. */
  | (Addressed & { readonly kind: 'request' | 'solicitation'; readonly target: string } & Claim)

interface Claim {
  readonly claims?: string
  /** Neighbor discovery behind another header. */
  readonly hidden?: boolean
  /** Of ARP: the kind of hardware, 1 if absent. */
  readonly hardware?: number
}

export interface Wire extends AsyncDisposable {
  readonly mac: string
  /** The marks that arrived, with `!` behind those of echo replies. */
  readonly heard: ReadonlySet<string>
  /** Resolves when the frame is on its way. */
  send(frame: Frame): Promise<void>
  /** Resolves when the mark has arrived; rejects after `within` milliseconds. */
  until(mark: string, within?: number): Promise<void>
}

export async function tap(place: string, netns: NetnsRef | undefined, device: string): Promise<Wire> {
  const child = spawnIn(netns, 'python3', [join(import.meta.dirname, 'wire.py'), device], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'close')
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const [first] = await Promise.race([once(lines, 'line'), gone])
  if (typeof first !== 'string') throw new Error(`nothing listens at ${device} of ${place}`)
  const { ready } = JSON.parse(first) as { ready: string }
  const heard = new Set<string>()
  const sent = new Map<number, () => void>()
  const waiting = new Map<string, () => void>()
  lines.on('line', (line: string) => {
    const said = JSON.parse(line) as { sent: number } | { mark: string; answer: boolean }
    if ('sent' in said) {
      sent.get(said.sent)?.()
      sent.delete(said.sent)
      return
    }
    const mark = `${said.mark}${said.answer ? '!' : ''}`
    heard.add(mark)
    waiting.get(mark)?.()
    waiting.delete(mark)
  })
  let next = 0
  return {
    mac: ready,
    heard,
    send(frame) {
      const id = next++
      return new Promise((resolve) => {
        sent.set(id, resolve)
        child.stdin?.write(`${JSON.stringify({ id, ...frame })}\n`)
      })
    },
    until(mark, within = 10_000) {
      if (heard.has(mark)) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error(`'${mark}' did not arrive at ${place} within ${within} ms`)), within)
        waiting.set(mark, () => {
          clearTimeout(limit)
          resolve()
        })
      })
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await gone
    },
  }
}
