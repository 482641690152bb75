// What is made of the options of the kinds that not every kernel has, and read back from them; test/golden holds the same fields against
// tc's bytes.

import * as assert from 'uvu/assert'
import { transmitSize, transmitTicks } from '../../lib/rtnetlink/traffic/psched.ts'
import { type QdiscSpec, qdiscBody, qdiscFrom } from '../../lib/rtnetlink/traffic/qdisc.ts'
import { durationOf, rateOf, sizeOf } from '../../lib/rtnetlink/traffic/units.ts'
import { suite } from '../support/suite.ts'

const test = suite('bodies of traffic control')

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** As it is written: without undefined members, bytes as a list. */
const written = (body: unknown): Json =>
  JSON.parse(JSON.stringify(body, (_key, value) => (value instanceof Uint8Array ? `${value.length} bytes` : value))) as Json

test('fq_codel', () => {
  const body = qdiscBody(3, {
    ...{ kind: 'fq_codel', parent: '1:11', handle: '12:', limit: 1000, target: '5ms', interval: 100, quantum: 1514 },
    ...{ flows: 512, ecn: true, memoryLimit: '4mb', ceThreshold: '1ms' },
  })
  assert.equal(written(body), {
    ...{ index: 3, handle: 0x120000, parent: 0x10011, kind: 'fq_codel' },
    options: {
      ...{ limit: 1000, flows: 512, quantum: 1514, interval: 100_000, target: 5000, ecn: 1, ceThreshold: 1000 },
      memoryLimit: 4 * 2 ** 20,
    },
  })
  const { kind, ...rest } = qdiscFrom(body)
  assert.equal(
    [kind, rest],
    [
      'fq_codel',
      {
        ...{
          link: 3,
          handle: '12:',
          parent: '1:11',
          limit: 1000,
          flows: 512,
          quantum: 1514,
          target: 5,
          interval: 100,
          ecn: true,
        },
        ...{ ceThreshold: 1, memoryLimit: 4 * 2 ** 20 },
      },
    ],
  )
})

test('netem', () => {
  const spec: QdiscSpec = {
    ...{ kind: 'netem', parent: '1:11', handle: '12:', limit: 1000, delay: 100, jitter: 10, delayCorrelation: 25 },
    ...{ loss: 1, lossCorrelation: 20, duplicate: 2, reorder: 25, reorderCorrelation: 50, gap: 5, corrupt: 0.1, rate: 1e6 },
  }
  const body = qdiscBody(3, spec)
  assert.equal(written(body), {
    ...{ index: 3, handle: 0x120000, parent: 0x10011, kind: 'netem' },
    options: {
      ...{ latency: 1_562_500, limit: 1000, loss: 42_949_673, gap: 5, duplicate: 85_899_346, jitter: 156_250 },
      correlation: { delay: 0x40000000, loss: 0x33333333, duplicate: 0 },
      reorder: { probability: 0x40000000, correlation: 0x80000000 },
      corrupt: { probability: 4_294_967, correlation: 0 },
      rate: { rate: 125_000 },
    },
  })
  const { link: _link, ...read } = qdiscFrom(body)
  assert.equal(read, spec)
})

test("units are tc's: rates decimal and in bits, sizes binary and in bytes", () => {
  const rates = { '10mbit': 1_250_000, '1gbit': 125_000_000, '10mbps': 10_000_000, '1kibit': 128, '8': 1, '1.5 Mbit': 187_500 }
  for (const [text, bytes] of Object.entries(rates)) assert.is(rateOf(text, 'rate'), bytes, text)
  const sizes = { '32kb': 32_768, '32k': 32_768, '1mb': 2 ** 20, '100kbit': 12_800, '1500': 1500, '1500b': 1500 }
  for (const [text, bytes] of Object.entries(sizes)) assert.is(sizeOf(text, 'size'), bytes, text)
  const times = { '50ms': 50, '1.5s': 1500, '200us': 0.2, '3secs': 3000 }
  for (const [text, milliseconds] of Object.entries(times)) assert.is(durationOf(text, 'time', 1e6), milliseconds, text)
})

test('a size survives being a time, as long as a tick is shorter than a byte', () => {
  for (const rate of [1, 999, 125_000, 1_000_000, 15_624_999]) {
    for (const size of [1, 1514, 32_768, 1_000_001]) {
      const ticks = transmitTicks(size, rate)
      if (ticks < 0xffffffff) assert.is(transmitSize(ticks, rate, 'down'), size, `${size} bytes at ${rate} a second`)
    }
  }
})

test.run()
