// Every message against the one that ip, bridge or tc sends for the same wish: recorded once (record.ts), compared field by field. That the
// recorded bytes are decoded and encoded without loss is for native/test/golden_test.cc, which reads the same files.

import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createNetns, host } from '../../lib/index.ts'
import type { Body, Field } from '../../lib/native.ts'
import { suite } from '../support/suite.ts'
import { areas, written } from './areas.ts'
import { any, type Pair } from './pair.ts'
import { type Recorded, recordingsIn } from './recording.ts'
import { bytesOf, decoded, sentBy } from './sent.ts'

/** Of every process its own. */
const descriptors = ['netnsFd', 'fd']

const isBody = (field: Field | undefined): field is Body =>
  typeof field === 'object' && !Array.isArray(field) && !(field instanceof Uint8Array)

/** Without what it has besides, which must be there; fields in alphabetical order, so that theirs is of no account. */
function reduced(body: Body, besides: Body, path = ''): Body {
  for (const name of Object.keys(besides)) assert.ok(name in body, `${path}${name} is there`)
  return Object.fromEntries(
    Object.entries(body)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([name, field]): [string, Field][] => {
        const more = besides[name]
        if (more === any) return []
        if (descriptors.includes(name)) return [[name, 'a descriptor']]
        if (field instanceof Uint8Array) return [[name, Buffer.from(field).toString('hex')]]
        if (isBody(field)) return [[name, reduced(field, isBody(more) ? more : {}, `${path}${name}.`)]]
        if (Array.isArray(field)) {
          const list = Array.isArray(more) ? (more as readonly Body[]) : []
          return [
            [name, field.map((item: Field, at) => (isBody(item) ? reduced(item, list[at] ?? {}, `${path}${name}.`) : item))],
          ]
        }
        if (more === undefined) return [[name, field]]
        assert.equal(field, more, `${path}${name}`)
        return []
      }),
  )
}

const NLM_F_CREATE = 0x400
/** ip changes a device with an RTM_NEWLINK that makes nothing; to the kernel that is RTM_SETLINK. */
const typeOf = ({ type, flags }: Pick<Recorded, 'type' | 'flags'>): string =>
  type === 'RTM_NEWLINK' && (flags & NLM_F_CREATE) === 0 ? 'RTM_SETLINK' : type

const NLM_F_DUMP = 0x300
const flagsOf = ({ type, flags }: Pick<Recorded, 'type' | 'flags'>): number =>
  type.startsWith('RTM_GET') ? flags & ~NLM_F_DUMP : flags

function compare(folder: string, area: string, pairs: readonly Pair[]): void {
  const test = suite(`golden ${area}`)
  const recordings = recordingsIn(join(import.meta.dirname, folder, `${area}.txt`))

  test('what is recorded is what is compared', () => {
    assert.equal(
      recordings.map(({ command }) => command),
      pairs.map(({ command }) => command),
      'npm run record:golden',
    )
  })

  for (const { command, call, besides } of pairs) {
    test(command, async () => {
      await using ct = await createNetns()
      const theirs = recordings.find((recording) => recording.command === command)?.messages ?? []
      const ours = (await sentBy(() => call(host, ct))).map((message) => ({ ...message, bytes: bytesOf(message) }))
      assert.equal(ours.map(typeOf), theirs.map(typeOf))
      for (const [at, message] of ours.entries()) {
        const their = theirs[at] as Recorded
        assert.equal(reduced(decoded(message), besides.ours ?? {}), reduced(decoded(their), besides.theirs ?? {}))
        assert.is(flagsOf(message), flagsOf(their), 'flags')
      }
    })
  }
  test.run()
}

for (const [area, pairs] of Object.entries(areas)) compare('recorded', area, pairs)
for (const [area, pairs] of Object.entries(written)) compare('written', area, pairs)
