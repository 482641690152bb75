// The same for many, some at a time.

/** Enough that the kernel always has something to do, and few enough that not much has to be taken back. */
const lanes = 64

export interface Outcomes<R> {
  /** In the order of what they were made of. */
  readonly made: readonly R[]
  readonly failures: readonly unknown[]
}

/** After the first failure it begins no more, and waits for those that it has begun. */
export async function inLanes<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<Outcomes<R>> {
  const made = new Map<number, R>()
  const failures: unknown[] = []
  const entries = items.entries()
  // All take from the same iterator.
  const lane = async (): Promise<void> => {
    for (const [at, item] of entries) {
      await work(item).then(
        (result) => made.set(at, result),
        (failure) => failures.push(failure),
      )
      if (failures.length > 0) return
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane))
  return { made: [...made.entries()].sort(([a], [b]) => a - b).map(([, result]) => result), failures }
}
