// The hierarchical token bucket, whose classes share a rate and borrow from each other; see tc-htb(8). Its classes are in class.ts.

import { nested, number, optionalNumber } from '../../../exchange.ts'
import { integer, invalidValue } from '../../../invalid.ts'
import { classId, formatHandle, majorOf, minorOf } from '../handle.ts'
import type { QdiscKind } from './kind.ts'

export interface HtbSpec {
  /** The class of what no filter sends elsewhere: `'1:10'`. @defaultValue none: it passes without a limit */
  readonly default?: string
  /** A class's quantum is its rate divided by this, unless it has its own. @defaultValue 10 */
  readonly rateToQuantum?: number
  /** Packets that may wait when they belong to no class. @defaultValue the device's `txqlen` */
  readonly directQueueLength?: number
}

export interface HtbInfo {
  readonly default?: string
  readonly rateToQuantum: number
  readonly directQueueLength?: number
  /** Packets that belonged to no class. */
  readonly directPackets: number
}

/** The version of the interface that the kernel insists on. */
const version = 3

export const htb: QdiscKind<HtbSpec, HtbInfo> = {
  names: ['default', 'rateToQuantum', 'directQueueLength'],
  options: (spec, handle) => {
    const defaultClass = spec.default === undefined ? 0 : classId(spec.default, 'qdisc.default')
    if (defaultClass !== 0 && handle !== 0 && majorOf(defaultClass) !== handle)
      throw invalidValue('qdisc.default', `must be a class of ${formatHandle(handle)}`, spec.default)
    return {
      init: {
        version,
        rateToQuantum: integer(spec.rateToQuantum ?? 10, 'qdisc.rateToQuantum', 1, 0xffffffff),
        defaultClass: minorOf(defaultClass),
      },
      directQueueLength:
        spec.directQueueLength === undefined
          ? undefined
          : integer(spec.directQueueLength, 'qdisc.directQueueLength', 0, 0xffffffff),
    }
  },
  read: (options, handle) => {
    const init = nested(options['init']) ?? {}
    const defaultClass = number(init['defaultClass'])
    const directQueueLength = optionalNumber(options['directQueueLength'])
    return {
      rateToQuantum: number(init['rateToQuantum']),
      directPackets: number(init['directPackets']),
      ...(defaultClass === 0 ? {} : { default: formatHandle(majorOf(handle) + defaultClass) }),
      ...(directQueueLength === undefined ? {} : { directQueueLength }),
    }
  },
}
