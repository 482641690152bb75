// dig(1), read by machine.

import { type NetnsRef, run } from '../../support/command.ts'

export interface Digged {
  /** `'NOERROR'`, `'NXDOMAIN'`; `'timeout'` when no answer came, `'refused'` when nobody listens. */
  readonly status: string
  /** `['qr', 'aa', 'rd', 'ra']` */
  readonly flags: readonly string[]
  /** `'web 0 IN A 10.9.0.2'` */
  readonly answers: readonly string[]
  readonly authorities: readonly string[]
  /** The last words of the answers, which is all that most want to know. */
  readonly data: readonly string[]
  readonly byTcp: boolean
  readonly bytes: number
  readonly text: string
}

export const noDig = (await run('dig', ['-v']).catch(() => undefined)) === undefined && 'dig is not installed'

const sectionOf = (text: string, name: string): string[] =>
  (text.split(`;; ${name} SECTION:\n`)[1] ?? '')
    .split('\n\n')[0]
    ?.split('\n')
    .filter((line) => line !== '' && !line.startsWith(';'))
    .map((line) => line.split(/\s+/).join(' ')) ?? []

/** One question, asked once: `dig(web, '@10.9.0.1', 'db', 'AAAA')`. */
export async function dig(netns: NetnsRef | undefined, ...args: readonly string[]): Promise<Digged> {
  const { stdout: text } = await run('dig', ['+tries=1', '+timeout=3', '+nocookie', ...args], { netns })
  const answers = sectionOf(text, 'ANSWER')
  const silent = /connection refused/.test(text) ? 'refused' : 'timeout'
  return {
    status: /status: (\w+)/.exec(text)?.[1] ?? silent,
    flags: /;; flags: ([a-z ]*);/.exec(text)?.[1]?.split(' ') ?? [],
    answers,
    authorities: sectionOf(text, 'AUTHORITY'),
    data: answers.map((line) => line.split(' ').slice(4).join(' ')),
    byTcp: /\(TCP\)/.test(text),
    bytes: Number(/MSG SIZE {2}rcvd: (\d+)/.exec(text)?.[1] ?? 0),
    text,
  }
}
