// The library starts no process: creating, attaching, publishing, detaching and deleting, seen by strace and by counting children.

import * as assert from 'uvu/assert'
import { run } from '../support/lab.ts'
import { nodeWithin } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { libraryUrl } from './support/library.ts'

const noStrace = (await run('strace', ['-V']).catch(() => undefined)) === undefined && 'strace is not installed'

const program = `
  import { readFileSync, readdirSync, writeSync } from 'node:fs'
  import { spawnSync } from 'node:child_process'
  import { createNetns, createNetwork, deleteNetns, openNetwork } from ${JSON.stringify(libraryUrl)}
  const children = () => readdirSync('/proc/self/task')
    .flatMap((task) => readFileSync('/proc/self/task/' + task + '/children', 'utf8').split(' ').filter(Boolean)).sort()
  const before = children()
  const seen = []
  const step = async (name, work) => {
    writeSync(1, 'STEP ' + name + '\\n')
    const result = await work()
    if (children().join() !== before.join()) seen.push(name)
    return result
  }
  const lab = await step('create', () => createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] }))
  const web = await step('attach', () => lab.attach({ name: 'web', publish: ['8080:80', '53:53/udp'] }))
  const given = await step('namespace', () => createNetns('given'))
  await step('attach into a namespace', () => lab.attach({ name: 'db', netns: 'given' }))
  await step('publish', () => web.publish('8081:81'))
  await step('unpublish', () => web.unpublish('8080:80'))
  await step('open', () => openNetwork('lab'))
  await step('detach', () => web.detach())
  await step('delete', () => lab.delete({ force: true }))
  writeSync(1, 'STEP over\\n')
  if (process.argv[1] === 'and start one') spawnSync('true')
  writeSync(1, 'SEEN ' + JSON.stringify(seen) + '\\n')
  await given.close()
  await deleteNetns('given')`

const test = suite('no process')

/** What of the traced calls starts a process: an exec, a fork, or a clone that is no thread. */
const starts = (line: string): boolean =>
  /\b(execve|execveat|fork|vfork)\(/.test(line) || (/\bclone3?\(/.test(line) && !/CLONE_THREAD/.test(line))

async function trace(argument: string): Promise<{ steps: string[]; during: string[]; afterwards: string[] }> {
  const node = nodeWithin(['env'], ['--import', 'tsx', '--input-type=module', '-e', program, argument])
  const calls = 'trace=execve,execveat,clone,clone3,fork,vfork,write'
  const { code, stdout, stderr } = await run('strace', ['-f', '-s', '32', '-e', calls, ...node], { limit: 60_000 })
  assert.is(code, 0, stderr)
  const lines = stderr.split('\n')
  const first = lines.findIndex((line) => line.includes('"STEP create'))
  const last = lines.findIndex((line) => line.includes('"STEP over'))
  assert.ok(first > 0 && last > first)
  assert.match(stdout, /SEEN \[\]/)
  return {
    steps: lines.slice(first, last).filter((line) => line.includes('"STEP ')),
    during: lines.slice(first, last).filter(starts),
    afterwards: lines.slice(last).filter(starts),
  }
}

test.skipIf(noStrace, 'is started from the creation of a network to its deletion', async () => {
  const { steps, during, afterwards } = await trace('')
  assert.is(steps.length, 9)
  assert.equal(during, [])
  assert.equal(afterwards, [])
})

test.skipIf(noStrace, 'would go unnoticed: one that the program itself starts is seen', async () => {
  const { during, afterwards } = await trace('and start one')
  assert.equal(during, [])
  assert.ok(afterwards.some((line) => line.includes('execve(')))
})

test.run()
