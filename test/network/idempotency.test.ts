// What every verb does to what is there already: nothing, an equal one, another one, a half of one. The table stands in idempotency/.
// NETLINK_CT_TABLE=1 prints it.

import * as assert from 'uvu/assert'
import * as library from '../../lib/index.ts'
import { Endpoint } from '../../lib/network/attach/endpoint.ts'
import { suite } from '../support/suite.ts'
import { cellsOf, columns, told } from './idempotency/cell.ts'
import { judge } from './idempotency/judge.ts'
import { internal, notStates, tables } from './idempotency/table.ts'

const test = suite('what is there already')
const rows = tables.flat()
const titles = { absent: 'absent', equal: 'present, equal', different: 'present, different', half: 'half present' } as const

for (const row of rows) {
  const verb = row.variant === undefined ? row.verb : `${row.verb} (${row.variant})`
  for (const column of columns) {
    for (const cell of cellsOf(row.cells[column])) {
      const title = `${verb}, ${titles[column]}, ${cell.given}: ${told(cell.outcome)}`
      test.skipIf(row.lacks, title, () => judge(row, cell))
    }
  }
}

const methodsOf = (prototype: object): string[] =>
  Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
    .map(([name]) => name)

/** All that a caller can call, as the table names it. */
function verbs(): string[] {
  const network = Object.getPrototypeOf(library.LanNetwork.prototype) as object
  const classes: Readonly<Record<string, object>> = {
    Netns: library.Netns.prototype,
    Network: network,
    LanNetwork: library.LanNetwork.prototype,
    Endpoint: Endpoint.prototype,
    Nftables: Object.getPrototypeOf(library.nftables) as object,
    Conntrack: Object.getPrototypeOf(library.conntrack) as object,
  }
  // A LanNetwork's own ones are rows of Network with its driver.
  const methods = Object.entries(classes).flatMap(([name, prototype]) =>
    methodsOf(prototype)
      .filter((method) => name !== 'LanNetwork' || !(method in network))
      .map((method) => `${name}.${method}`),
  )
  const functions = Object.entries(library)
    .filter(([name, value]) => typeof value === 'function' && !/^[A-Z]/.test(name) && !(name in library.Netns.prototype))
    .map(([name]) => name)
  return [...methods, ...functions]
}

test('the table has every verb, and no other', () => {
  const known = new Set(rows.map(({ verb }) => verb))
  const wanted = verbs().filter((verb) => !internal.includes(verb) && !(verb in notStates))
  assert.equal(
    wanted.filter((verb) => !known.has(verb)),
    [],
    'without a row',
  )
  assert.equal(
    [...known, ...internal, ...Object.keys(notStates)].filter((verb) => !verbs().includes(verb)),
    [],
    'with a row, and not there',
  )
})

test('every cell has an outcome, or says why it has none', () => {
  for (const { verb, cells } of rows) {
    for (const column of columns) {
      const cell = cells[column]
      assert.ok(typeof cell === 'string' ? cell.length > 0 : cellsOf(cell).length > 0, `${verb}, ${column}`)
    }
  }
})

if (process.env['NETLINK_CT_TABLE'] !== undefined) {
  for (const { verb, variant, cells } of rows) {
    const words = columns.map((column) => {
      const cell = cells[column]
      return typeof cell === 'string'
        ? `– (${cell})`
        : cellsOf(cell)
            .map(({ given, outcome }) => `${given}: ${told(outcome)}`)
            .join('; ')
    })
    console.log(`| ${[variant === undefined ? verb : `${verb} (${variant})`, ...words].join(' | ')} |`)
  }
}

test.run()
