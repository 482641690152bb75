// Like Promise.all, for work that is not called off by the failure of another: who is told of it finds all of it ended.

/** Waits for all. Rejects with the failure of the first in order, if any failed. */
export async function allOf(works: Iterable<PromiseLike<unknown> | undefined>): Promise<void> {
  const outcomes = await Promise.allSettled(works)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}
