// npm run record:golden [-- AREA…]: runs the commands of the pairs under strace, each in a world of its own, and writes down what they
// say to the kernel, and for those of replies.ts what the kernel says to them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { inSandbox } from '../../scripts/sandbox.mjs'
import { output, run } from '../support/command.ts'
import { areas } from './areas.ts'
import { format, messagesOf, type Recorded, type Recording } from './recording.ts'
import { replies } from './replies.ts'
import { names, world } from './world.ts'

if (!inSandbox()) throw new Error('recordings are made in a sandbox only: npm run record:golden')
const scratch = mkdtempSync(join(tmpdir(), 'golden-'))
const trace = join(scratch, 'trace')

async function inWorld<T>(more: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    for (const name of names) await output('ip', ['netns', 'add', name])
    await output('sh', ['-ec', world.join('\n')], { netns: 'here' })
    for (const command of more) {
      const { code, stderr } = await run('sh', ['-c', command], { netns: 'here' })
      if (code !== 0) console.log(`${command}\n  refused, so that what needs it may be, too: ${stderr.split('\n')[0]}`)
    }
    return await work()
  } finally {
    for (const name of names) await run('ip', ['netns', 'delete', name])
  }
}

/** The datagrams in the order of the trace; strace prints the bytes below each call as hexdump does. */
function datagrams(text: string, netfilter: boolean): Recorded[] {
  const found: Recorded[] = []
  let direction: Recorded['direction'] = '>'
  let hex = ''
  const flush = (): void => {
    if (hex !== '') found.push(...messagesOf(Buffer.from(hex, 'hex'), direction, netfilter))
    hex = ''
  }
  for (const line of text.split('\n')) {
    const dump = /^ \| [0-9a-f]{5} {2}((?:[0-9a-f]{2} {1,2}){1,16})/.exec(line)?.[1]
    if (dump !== undefined) {
      hex += dump.replaceAll(' ', '')
      continue
    }
    // The parts of one datagram.
    if (line.startsWith(' *')) continue
    flush()
    direction = /^\d+ +recv/.test(line) ? '<' : '>'
  }
  flush()
  return found
}

async function traced(command: string): Promise<{ messages: Recorded[]; refusal?: string }> {
  const flags = ['-e', 'trace=sendto,sendmsg,recvfrom,recvmsg', '-e', 'read=all', '-e', 'write=all', '-s', '0']
  const { code, stderr } = await run('strace', ['-f', '-o', trace, ...flags, ...command.split(' ')], { netns: 'here' })
  const messages = datagrams(readFileSync(trace, 'latin1'), /^(nft|conntrack) /.test(command))
  if (code === 0) return { messages }
  return { messages, refusal: stderr.split('\n')[0]?.replace(/^(Error|RTNETLINK answers): /, '') ?? '' }
}

/** ip's question whether the kernel knows RTM_NEWLINK at all: one that says nothing. */
const isProbe = ({ type, bytes }: Recorded): boolean => type === 'RTM_NEWLINK' && bytes.every((byte) => byte === 0)

/** The change that it asks for, or its last question: before and behind them it asks for indexes and names of devices. */
function wish(messages: readonly Recorded[]): Recorded[] {
  const sent = messages.filter((message) => message.direction === '>' && !isProbe(message))
  const changes = sent.filter(({ type }) => !type.startsWith('RTM_GET'))
  if (changes.length > 0) return changes
  return [sent.findLast(({ type }) => type !== 'RTM_GETLINK') ?? sent.at(-1)].filter((message) => message !== undefined)
}

const heading = [
  `${(await output('ip', ['-V'])).trim().replace(/^ip utility, |,.*$/g, '')} on Linux ${release().split('.', 2).join('.')}.`,
  'Made by `npm run record:golden`, which explains it; not to be edited. ! is what this kernel had against it.',
]

async function record(area: string, recordings: () => Promise<Recording[]>): Promise<void> {
  if (process.argv.length > 2 && !process.argv.slice(2).includes(area)) return
  const made = await recordings()
  for (const { command, refusal, messages } of made) {
    if (messages.length === 0) throw new Error(`${command}: said nothing${refusal === undefined ? '' : `, ${refusal}`}`)
    if (refusal !== undefined) console.log(`${command}\n  refused: ${refusal}`)
  }
  writeFileSync(join(import.meta.dirname, 'recorded', `${area}.txt`), format(heading, made))
}

try {
  for (const [area, pairs] of Object.entries(areas)) {
    await record(area, async () => {
      const made: Recording[] = []
      for (const { command, after } of pairs) {
        const { messages, ...rest } = await inWorld(after, () => traced(command))
        made.push({ command, ...rest, messages: wish(messages) })
      }
      return made
    })
  }
  for (const [area, { after, commands, requests = false }] of Object.entries(replies)) {
    await record(area, () =>
      inWorld(after, async () => {
        const made: Recording[] = []
        for (const command of commands) {
          const { messages, ...rest } = await traced(command)
          made.push({ command, ...rest, messages: messages.filter(({ direction }) => requests || direction === '<') })
        }
        return made
      }),
    )
  }
} finally {
  rmSync(scratch, { recursive: true })
}
