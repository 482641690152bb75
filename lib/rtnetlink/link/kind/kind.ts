// What each kind of link adds: its options in JavaScript and in the message, one file a kind.

import type { Body } from '../../../native.ts'

/** `Spec` is what createLink takes, `Info` what is read back. */
export interface Kind<Spec, Info> {
  /** The options that createLink takes besides the common ones. */
  readonly names: readonly string[]
  /** IFLA_INFO_DATA; throws a TypeError or RangeError that names the option below `path`. */
  data(spec: Spec, path: string): Body | undefined
  /** IFLA_INFO_DATA as it was read. */
  read(data: Body): Info
}
