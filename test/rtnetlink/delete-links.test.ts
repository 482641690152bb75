// Deleting many devices at once, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { createNetns, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipLink, ipLinks } from '../support/witness.ts'

const test = suite('deleteLinks')

const names = async (ns: Netns): Promise<string[]> => (await ipLinks(ns)).map(({ ifname }) => ifname)

/** Four ifbs i0 to i3, of which i1 and i2 are in group 7, and the pair a–b. */
async function town(): Promise<Netns> {
  const ns = await createNetns()
  const ifbs = [0, 1, 2, 3].map((at) => `link add i${at} group ${at === 1 || at === 2 ? 7 : 0} type ifb`)
  const batch = [...ifbs, 'link add name a type veth peer name b', 'link property add dev i3 altname the-last-of-them'].join('\n')
  await output('ip', ['-batch', '-'], { netns: ns, input: batch })
  return ns
}

test('those of a list are deleted, however they are named, and no others', async () => {
  await using ns = await town()
  await ns.deleteLinks(['i0', (await ipLink(ns, 'i1')).ifindex, await ns.getLink('i2'), 'the-last-of-them'])
  assert.equal(await names(ns), ['lo', 'b', 'a'])
})

test('both ends of a pair, and one device twice, are no error', async () => {
  await using ns = await town()
  await ns.deleteLinks(['a', 'b', 'i0', 'i0'])
  assert.equal(await names(ns), ['lo', 'i1', 'i2', 'i3'])
})

test('those of a group are deleted, and no others', async () => {
  await using ns = await town()
  await ns.deleteLinks({ group: 7 })
  assert.equal(await names(ns), ['lo', 'i0', 'i3', 'b', 'a'])
  await ns.deleteLinks({ group: 7 })
})

test('when one is not there none is deleted', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  assert.is((await failureOf(ns.deleteLinks(['i0', 'nobody', 'a']))).code, 'ENODEV')
  assert.is((await failureOf(ns.deleteLinks(['i0', 4711]))).code, 'ENODEV')
  assert.equal(await kernelState(ns), before)
})

test('when one cannot be deleted none is, and all are in their groups again', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  const error = await failureOf(ns.deleteLinks(['i0', 'i1', 'lo', 'a']))
  assert.equal([error.code, error.syscall, error.operation], ['ENOTSUP', 'RTM_DELLINK', 'delete the links'])
  assert.equal(await kernelState(ns), before)
})

test('an empty list deletes nothing', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  await ns.deleteLinks([])
  assert.equal(await kernelState(ns), before)
})

test('a hundred go in one', async () => {
  await using ns = await createNetns()
  const made = Array.from({ length: 150 }, (_, at) => `x${at}`)
  const batch = await ns.batch((items) => {
    for (const name of made) items.createLink({ kind: 'ifb', name })
  })
  assert.ok(batch.ok)
  await ns.deleteLinks(made)
  assert.equal(await names(ns), ['lo'])
})

test.run()
