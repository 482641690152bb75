// What is wrong with an argument is said before the first system call, each thing in words of its own.
//
// The proof: a child makes all the calls below between two marks, while strace writes down its system calls. Between the marks there
// must be none that speaks netlink, enters or makes a namespace, mounts, or opens a file of /proc/sys or /dev/net.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { run } from './support/command.ts'
import { calls, type Refused } from './support/fixtures/bad-calls.ts'
import { nodeWithin } from './support/program.ts'
import { suite } from './support/suite.ts'

const test = suite('bad input')
const fixture = join(import.meta.dirname, 'support/fixtures/bad-calls.ts')

const forbidden = 'sendto,sendmsg,setns,unshare,mount,umount2,socket,openat,ioctl'

interface Traced {
  answers: Refused[]
  between: string[]
}

async function traced(): Promise<Traced> {
  const folder = mkdtempSync(join(tmpdir(), 'netlink-ct-'))
  try {
    const log = join(folder, 'calls')
    const strace = ['strace', '-f', '-qq', '-o', log, '-e', `trace=${forbidden},access`]
    const [command = '', ...args] = nodeWithin(strace, ['--import', 'tsx', fixture, 'make'])
    const { code, stdout, stderr } = await run(command, args)
    assert.is(code, 0, stderr)
    const lines = readFileSync(log, 'utf8').split('\n')
    const begin = lines.findIndex((line) => line.includes('/netlink-ct/begin'))
    const end = lines.findIndex((line) => line.includes('/netlink-ct/end'))
    assert.ok(begin !== -1 && end > begin, 'both marks are there')
    return { answers: JSON.parse(stdout) as Refused[], between: lines.slice(begin + 1, end) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const trace = traced()
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
  // Files of the module loader and the memory of V8 come and go; a file of /proc/sys or of a namespace does not.
  // A call that another thread's interrupted is judged where it began.
  const harmless =
    /<\.\.\. \w+ resumed>|\b(ioctl|openat)\((?!.*(\/proc\/(sys|self\/ns|thread-self\/ns)|\/run\/netns|\/dev\/net))|\baccess\(/
  assert.equal(
    between.filter((line) => !harmless.test(line)),
    [],
  )
})

test.run()
