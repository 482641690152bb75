// add element inet netlink-ct ports4 { tcp . 8080 comment "web" : 10.1.0.2 . 80 }

import { fields, name } from '../../../invalid.ts'
import type { MessageType } from '../../message.ts'
import { compileElements, sendElements } from '../elements.ts'
import type { SetShape, Transaction } from '../transaction.ts'
import { place } from './place.ts'

export function sendNamedElements(
  transaction: Transaction,
  message: { readonly type: MessageType; readonly flags: number },
  value: unknown,
  path: string,
): void {
  const given = fields(value, path, ['family', 'table', 'name', 'elem'])
  const { family, table, body } = place(given, path)
  const set = name(given['name'], `${path}.name`)
  const shape = transaction.shapeOf(family, table, set, `${path}.name`)
  const removed = message.type !== 'NFT_MSG_NEWSETELEM'
  const elements = compileElements(removed ? shapeOfKeys(shape, given['elem']) : shape, given['elem'], `${path}.elem`)
  sendElements(transaction, { ...message, body: { ...body, set } }, elements, path)
}

/** What is removed from a map may be named by its keys alone. */
function shapeOfKeys(shape: SetShape, entries: unknown): SetShape {
  const isPairs = Array.isArray(entries) && entries.some((entry) => Array.isArray(entry))
  return isPairs ? shape : { key: shape.key, interval: shape.interval }
}
