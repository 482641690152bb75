// All or nothing, where it takes more than one submission.

/** Runs `work`; when it throws, `undo` runs and the first error goes on. An error of `undo` is added to it, never lost. */
export async function rolledBack<T>(work: () => Promise<T>, undo: () => Promise<unknown>): Promise<T> {
  try {
    return await work()
  } catch (failure) {
    try {
      await undo()
    } catch (second) {
      throw new AggregateError([failure, second], `${String(failure)}; and what was done could not be undone: ${String(second)}`)
    }
    throw failure
  }
}
