// What differs between two states of the kernel, one line for each place: a whole state is too long to be read.

/** A bridge takes these from ports that come, and does not give them back. */
const drifting = /^(tso|gso|gro)_max_/

export function changes(before: unknown, after: unknown, path = ''): string[] {
  if (Object.is(before, after)) return []
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null)
    return [`${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const at = (value: object, key: string): unknown => (value as Record<string, unknown>)[key]
  return [...keys]
    .filter((key) => !drifting.test(key))
    .flatMap((key) => changes(at(before, key), at(after, key), `${path}/${key}`))
}
