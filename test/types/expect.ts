// Assertions that hold or fail when they are compiled.

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** That a value has exactly this type: `expectType<number>()(link.mtu)`; an `any` is exactly `any` alone. */
export const expectType =
  <Expected>() =>
  <Actual>(_value: Actual, ..._same: Same<Expected, Actual> extends true ? [] : ['another type']): void => {}
