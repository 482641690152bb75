// Refusals of malformed commands, before any system call: a TypeError or RangeError with Node's code, which names the place inside the
// command and, for a misspelled word, the right one.

type Coded = Error & { code: string }

function coded(error: Error, code: string): Coded {
  return Object.assign(error, { code })
}

/** What JSON has no word for, or the word `null`. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

/** How a value is shown in a message: short, and never throwing. */
function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'function') return 'a function'
  let text: string
  try {
    text = JSON.stringify(value, plain) ?? String(value)
  } catch {
    text = 'an object that refers to itself'
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The value is of the wrong kind: a number where an object belongs. */
export function invalidType(path: string, expected: string, actual: unknown): Coded {
  return coded(new TypeError(`${path} must be ${expected}, got ${show(actual)}`), 'ERR_INVALID_ARG_TYPE')
}

/** The value is of the right kind but means nothing here. */
export function invalidValue(path: string, why: string, actual: unknown): Coded {
  return coded(new TypeError(`${path} ${why}, got ${show(actual)}`), 'ERR_INVALID_ARG_VALUE')
}

/** A number outside its bounds. */
export function outOfRange(path: string, from: number | bigint, to: number | bigint, actual: unknown): Coded {
  return coded(new RangeError(`${path} must be from ${from} to ${to}, got ${show(actual)}`), 'ERR_OUT_OF_RANGE')
}

/** A word that is none of `known`. */
export function unknownWord(path: string, word: string, known: Iterable<string>): Coded {
  const words = [...known]
  const near = closest(word, words)
  const hint = near === undefined ? `known: ${words.join(', ')}` : `did you mean '${near}'?`
  return coded(new TypeError(`${path}: '${word}' is unknown; ${hint}`), 'ERR_INVALID_ARG_VALUE')
}

/** The known word at the fewest edits, if it is close enough to be what was meant. */
function closest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const edits = distance(word, candidate)
    if (edits < fewest) {
      best = candidate
      fewest = edits
    }
  }
  return best
}

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

export type Fields = Readonly<Record<string, unknown>>

/** `value` as an object that has no keys but `known`. */
export function fields(value: unknown, path: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidType(path, 'an object', value)
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw unknownWord(path, key, known)
  }
  return value as Fields
}

/** The one key of an object that must have exactly one, out of `known`. */
export function onlyKey<K extends string>(value: unknown, path: string, known: readonly K[]): K {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidType(path, `an object with one of the keys ${known.join(', ')}`, value)
  }
  const keys = Object.keys(value)
  const [key] = keys
  if (key === undefined || keys.length > 1) throw invalidValue(path, `must have exactly one key`, value)
  if (!known.includes(key as K)) throw unknownWord(path, key, known)
  return key as K
}

export function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidType(path, 'an array', value)
  return value
}

/** One or several of `known`, as nft writes flags: a word, or a list of words. */
export function words<W extends string>(value: unknown, path: string, known: readonly W[]): W[] {
  const given = Array.isArray(value) ? value : [value]
  return given.map((word, index) => oneOf(word, Array.isArray(value) ? `${path}[${index}]` : path, known))
}

export function oneOf<W extends string>(value: unknown, path: string, known: readonly W[]): W {
  if (typeof value !== 'string') throw invalidType(path, `one of ${known.join(', ')}`, value)
  if (!known.includes(value as W)) throw unknownWord(path, value, known)
  return value as W
}

export function integer(value: unknown, path: string, from: number, to: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalidType(path, 'an integer', value)
  if (value < from || value > to) throw outOfRange(path, from, to, value)
  return value
}

/** The name of a table, chain, set, map or object, as the kernel bounds it (NFT_NAME_MAXLEN). */
export function name(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidType(path, 'a name', value)
  if (value === '' || value.length > 255 || value.includes('\0')) throw invalidValue(path, 'must have 1 to 255 characters', value)
  return value
}

export function nothing(value: unknown, path: string): void {
  if (value !== null) throw invalidType(path, 'null', value)
}
