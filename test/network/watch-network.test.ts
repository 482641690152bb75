// Several endpoints at once, and the events of a network, whoever makes them.

import * as assert from 'uvu/assert'
import { createNetwork, type Network, NetworkError, type NetworkEvent } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { attachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { elementsShown, linkShown } from './support/witness.ts'

let lab: Network
const before = async (): Promise<void> => {
  lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
}

{
  const test = suite('several at once')
  test.before.each(before)
  test.after.each(sweep)

  test('are attached in order, and detached by name; those that are not there are no error', async () => {
    const state = await kernelState()
    const names = Array.from({ length: 20 }, (_, at) => `c${at}`)
    const made = await lab.attachMany(names.map((name, at) => ({ name, publish: [`${9000 + at}:80`] })))
    assert.equal(
      made.map(({ name }) => name),
      names,
    )
    assert.is((await elementsShown('ports4')).length, 20)
    await lab.detachMany([...names, 'nobody', 'c1'])
    assert.equal(await lab.endpoints(), [])
    assert.equal(changes(state, await kernelState()), [])
    assert.equal(await lab.attachMany([]), [])
    await lab.detachMany([])
  })

  test('are attached all or none', async () => {
    const web = await lab.attach({ name: 'web', publish: ['8080:80'] })
    const state = await kernelState()
    const specs = [{ name: 'a', publish: ['8081:80'] }, { name: 'b', publish: ['8080:80'] }, { name: 'c' }]
    const failure = await failureOf(lab.attachMany(specs))
    assert.is(failure.code, 'PORT_IN_USE')
    assert.equal(changes(state, await kernelState()), [])
    await web.detach()
  })

  test('are checked before the first is attached, and the message names which one is bad', async () => {
    const failure = await failureOf(lab.attachMany([{ name: 'a' }, { name: '?' }]))
    assert.instance(failure, TypeError)
    assert.match(failure.message, /^specs\[1\]: name must start/)
    assert.equal(await lab.endpoints(), [])
    assert.match((await failureOf(lab.detachMany(['a', '?']))).message, /^names\[1\] must start/)
    for (const bad of [undefined, 'a', {}]) {
      assert.instance(await failureOf(lab.attachMany(bad as never)), TypeError)
      assert.instance(await failureOf(lab.detachMany(bad as never)), TypeError)
    }
  })

  test.run()
}

{
  const test = suite('the events of a network')
  test.before.each(before)
  test.after.each(sweep)

  const shown = (event: NetworkEvent | undefined): string =>
    event === undefined ? 'end' : 'endpoint' in event ? `${event.type} ${event.endpoint.name}` : event.type

  test('begin with those that are there, and tell who comes, changes and goes, also elsewhere', async () => {
    const web = await lab.attach({ name: 'web', publish: ['8080:80'] })
    const other = await createNetwork({ name: 'other', subnets: ['10.8.0.0/24'] })
    await using events = lab.watch()
    const next = async (): Promise<NetworkEvent | undefined> => (await events.next()).value
    assert.equal([shown(await next()), shown(await next())], ['attached web', 'synced'])

    const stranger = await other.attach({ name: 'stranger' })
    const elsewhere = await attachElsewhere('lab', { name: 'far' })
    assert.is(shown(await next()), 'attached far')

    await web.publish('8081:80')
    const published = await next()
    assert.is(shown(published), 'ports web')
    assert.ok(published?.type === 'ports')
    assert.equal([published.previous.length, published.endpoint.ports.length], [1, 2])
    await web.unpublish(['8080:80', '8081:80'])
    assert.is(shown(await next()), 'ports web')

    await elsewhere.kill()
    assert.is(shown(await next()), 'detached far')
    await web.detach()
    assert.is(shown(await next()), 'detached web')
    await stranger.detach()

    await lab.delete()
    assert.is(shown(await next()), 'end')
    assert.is(shown(await next()), 'end')
    assert.equal(await linkShown('br-lab'), undefined)
  })

  test('end with their signal and with return, and there are none of a network that is gone', async () => {
    const controller = new AbortController()
    const events = lab.watch({ signal: controller.signal })
    assert.is(shown((await events.next()).value), 'synced')
    const pending = failureOf(events.next())
    controller.abort()
    assert.is((await pending).name, 'AbortError')

    const others = lab.watch()
    await others.next()
    const last = others.next()
    await others.return()
    assert.is((await last).done, true)

    await output('ip', ['link', 'delete', 'br-lab'])
    const failure = await failureOf(lab.watch().next())
    assert.instance(failure, NetworkError)
    assert.is(failure.code, 'NETWORK_NOT_FOUND')
    assert.instance(await failureOf(() => lab.watch({ signals: 1 } as never)), TypeError)
  })

  test.run()
}
