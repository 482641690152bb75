// What a call was refused with.

export type Failure = Error & {
  code?: string
  errno?: number
  syscall?: string
  operation?: string
  extack?: string
  attribute?: string
  index?: number
}

/** The error of a call that must fail. */
export async function failureOf(call: Promise<unknown> | (() => unknown)): Promise<Failure> {
  try {
    await (typeof call === 'function' ? call() : call)
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`thrown, and no Error: ${JSON.stringify(error)}`)
  }
  throw new Error('it did not fail')
}
