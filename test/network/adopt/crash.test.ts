// Processes killed at every step of joining a bridge that others have, of attaching to it and of leaving it: whoever comes later finishes
// what they began or takes it back, and the bridge is as it was.

import * as assert from 'uvu/assert'
import {
  check,
  createNetns,
  createNetwork,
  deleteNetns,
  gc,
  type Netns,
  NetworkError,
  type NetworkSpec,
  openNetwork,
} from '../../../lib/index.ts'
import { kernelState, run } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'
import { type Task, Victims } from '../crash/victims.ts'
import { changes } from '../support/changes.ts'
import { sweep } from '../support/sweep.ts'
import { createEstate, type Estate } from './estate.ts'

const noStrace = (await run('strace', ['-V']).catch(() => undefined)) === undefined && 'strace is not installed'

const spec: Omit<NetworkSpec, 'name' | 'host'> = {
  bridge: { existing: 'br0' },
  ipv6: true,
  // One gateway is there, one is not.
  subnets: ['192.168.50.0/24', 'fd00:9::/64'],
  reserved: ['192.168.50.0/25'],
}
const attached = { name: 'web', netns: 'box', publish: ['8080:80', '5353:53/udp'] } as const

const test = suite('a process killed at every step', { limit: 240_000 })

let victims: Victims
let estate: Estate
let box: Netns
let before: unknown
test.before(async () => {
  if (noStrace) return
  victims = await Victims.create()
  estate = await createEstate()
  box = await createNetns('box')
  before = await kernelState()
})
test.after(async () => {
  if (noStrace) return
  await victims[Symbol.asyncDispose]()
  await box.close()
  await deleteNetns('box')
  await estate[Symbol.asyncDispose]()
  await sweep()
})

async function equalsBefore(what: string): Promise<void> {
  let last: string[] = []
  await until(what, async () => {
    last = changes(before, await kernelState())
    return last.length === 0
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${last.join('\n')}`)
  })
}

/** What is there is deleted; what nobody can open any more is collected. */
async function cleanUp(what: string): Promise<void> {
  try {
    await (await openNetwork('lab')).delete({ force: true })
  } catch (error) {
    if (!(error instanceof NetworkError && error.code === 'NETWORK_NOT_FOUND')) throw error
  }
  await gc()
  await equalsBefore(what)
}

async function atEveryStep(task: Task, least: Readonly<Record<string, number>>, prepare: () => Promise<unknown>): Promise<void> {
  const counts: string[] = []
  for (const [syscall, fewest] of Object.entries(least)) {
    let at = 1
    for (let killed = true; killed; at++) {
      await prepare()
      killed = await victims.killedAt(task, { syscall, at })
      const what = `${task.verb}, ${killed ? `killed before ${syscall} ${at}` : 'killed when it was done'}`
      // By turns: taken back as it stands, or finished first.
      if (at % 2 === 0) {
        const network = await createNetwork({ ...spec, name: 'lab' })
        await gc()
        assert.equal(await check(), [], what)
        await network.attach({ name: 'heir', netns: box, ifname: 'eth1', defaultRoute: false })
      }
      await cleanUp(what)
    }
    counts.push(`${at - 2} × ${syscall}`)
    assert.ok(at - 2 >= fewest, `${task.verb} makes ${at - 2} of ${syscall}`)
  }
  console.log(`${task.verb}: ${counts.join(', ')}`)
}

const joined = () => createNetwork({ ...spec, name: 'lab' })
const attachedTo = async () => (await joined()).attach({ ...attached, netns: box })

test.skipIf(noStrace, 'of joining', () =>
  atEveryStep({ verb: 'create', spec: { ...spec, name: 'lab' } }, { sendto: 10, openat: 2 }, async () => undefined),
)
test.skipIf(noStrace, 'of an attach', () =>
  atEveryStep({ network: 'lab', verb: 'attach', spec: attached }, { sendto: 5 }, joined),
)
test.skipIf(noStrace, 'of leaving', () => atEveryStep({ network: 'lab', verb: 'delete' }, { sendto: 10, openat: 2 }, attachedTo))

test.run()
