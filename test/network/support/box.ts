// A namespace that is there before a container comes to it.

import * as assert from 'uvu/assert'
import { createNetns, type Netns } from '../../../lib/index.ts'
import { kernelState, output } from '../../support/lab.ts'
import { changes } from './changes.ts'

/** A namespace that is as it was, once `body` has attached to it and detached again. */
export async function withBox(body: (box: Netns) => Promise<void>): Promise<void> {
  await using box = await createNetns()
  const at = { path: box.path }
  // Up once: the kernel gives a loopback its queue then and never takes it back.
  await output('ip', ['-batch', '-'], { input: 'link set lo up\nlink set lo down', netns: at })
  const before = await kernelState(at)
  await body(box)
  await output('ip', ['link', 'set', 'lo', 'down'], { netns: at })
  assert.equal(changes(before, await kernelState(at)), [], 'the namespace is as before')
}
