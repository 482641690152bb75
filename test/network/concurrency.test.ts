// How several operations at one time end together.

import { setTimeout as pause } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { allOf } from '../../lib/network/concurrency/all-of.ts'
import { inLanes } from '../../lib/network/concurrency/lanes.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('concurrency')

test('who is told of a failure finds all else ended', async () => {
  let ended = 0
  const slow = async (): Promise<void> => {
    await pause(20)
    ended++
  }
  const error = await failureOf(
    allOf([slow(), Promise.reject(new Error('first')), undefined, Promise.reject(new Error('second')), slow()]),
  )
  assert.is(error.message, 'first')
  assert.is(ended, 2)
  await allOf([])
})

test('after a failure none is begun, and those that were are waited for', async () => {
  const begun: number[] = []
  const numbers = Array.from({ length: 200 }, (_, at) => at)
  const { made, failures } = await inLanes(numbers, async (at) => {
    begun.push(at)
    await pause(at === 3 ? 1 : 20)
    if (at === 3) throw new Error('three')
    return at
  })
  assert.is(failures.length, 1)
  assert.is(made.length, begun.length - 1)
  assert.ok(begun.length < numbers.length)
  assert.equal(
    made,
    begun.filter((at) => at !== 3),
  )
})

test.run()
