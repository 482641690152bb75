// What differs between two states of the kernel, one line for each place: a whole state is too long to be read.

/** A bridge takes these from ports that come, and does not give them back. */
const drifting = /^(tso|gso|gro)_max_/

/** Of the lines of two lists, those that only one has. */
function listChanges(before: readonly string[], after: readonly string[], path: string): string[] {
  const rest = [...after]
  const gone = before.filter((line) => {
    const at = rest.indexOf(line)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
  return [...gone.map((line) => `${path}: gone: ${line}`), ...rest.map((line) => `${path}: come: ${line}`)]
}

const isLines = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((line) => typeof line === 'string')

export function changes(before: unknown, after: unknown, path = ''): string[] {
  if (Object.is(before, after)) return []
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null)
    return [`${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`]
  if (isLines(before) && isLines(after)) return listChanges(before, after, path)
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const at = (value: object, key: string): unknown => (value as Record<string, unknown>)[key]
  return [...keys]
    .filter((key) => !drifting.test(key))
    .flatMap((key) => changes(at(before, key), at(after, key), `${path}/${key}`))
}
