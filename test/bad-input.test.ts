// What is wrong with an argument is said before the first system call, each thing in words of its own.
//
// The proof: a child makes all the calls below between two marks, while strace writes down its system calls. Between the marks there
// must be none that speaks netlink, enters or makes a namespace, mounts, or opens a file of /proc/sys or /dev/net.

import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { calls, type Refused } from './support/fixtures/bad-calls.ts'
import { betweenMarks } from './support/marks.ts'
import { suite } from './support/suite.ts'

const test = suite('bad input')
const trace = betweenMarks<Refused[]>(join(import.meta.dirname, 'support/fixtures/bad-calls.ts'))
trace.catch(() => {}) // each test awaits it

for (const [at, { what, code, says }] of calls.entries()) {
  test(`${what} is refused by name`, async () => {
    const { answers } = await trace
    const answer = answers[at]
    assert.ok(answer)
    assert.is(answer.code, code, answer.message)
    assert.is(answer.name, code === 'ERR_OUT_OF_RANGE' ? 'RangeError' : 'TypeError')
    for (const part of says) assert.ok(answer.message.includes(part), `'${answer.message}' does not say '${part}'`)
  })
}

test('no two of them are told the same way', async () => {
  const { answers } = await trace
  const messages = answers.map(({ message }) => message)
  for (const [at, message] of messages.entries()) {
    const first = messages.indexOf(message)
    assert.is(first, at, `'${calls[first]?.what}' and '${calls[at]?.what}': ${message}`)
  }
})

test('none of them makes a system call', async () => {
  const { between } = await trace
  assert.equal(between, [])
})

test.run()
