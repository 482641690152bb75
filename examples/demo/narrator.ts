// What the demo prints: numbered steps with the library's time, the call that made it, and the shell commands that it stands for.

const { stdout, env } = process
const isColored = stdout.isTTY === true && !env['NO_COLOR']

const sgr = { bold: 1, gray: 90, green: 32, cyan: 36 } as const

function paint(color: keyof typeof sgr, text: string): string {
  return isColored ? `\x1b[${sgr[color]}m${text}\x1b[0m` : text
}

const width = 100

export interface Step {
  readonly title: string
  /** The call, as a reader would write it. */
  readonly code: readonly string[]
  /** What it takes by hand: commands that build the same, one a line. */
  readonly shell: readonly string[]
}

/** An expectation that was not met. */
export class Unmet extends Error {
  override readonly name = 'Unmet'
}

/** The user asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

export class Narrator {
  #steps = 0
  #building = 0
  #takingDown = 0
  #met = 0
  readonly #isInterrupted: () => boolean

  constructor(isInterrupted: () => boolean) {
    this.#isInterrupted = isInterrupted
  }

  say(...lines: readonly string[]): void {
    console.log(lines.join('\n'))
  }

  heading(text: string): void {
    console.log(`\n${paint('bold', text)}`)
  }

  /** Does a step and tells how long it took. Nothing begins after an interruption. */
  async step<T>(step: Step, work: () => Promise<T>): Promise<T> {
    if (this.#isInterrupted()) throw new Interrupted()
    const [result, took] = await this.#timed(step, work)
    this.#building += took
    return result
  }

  /** A step that takes something away, which happens after an interruption as well. */
  async undo(step: Step, work: () => Promise<void>): Promise<void> {
    const [, took] = await this.#timed(step, work)
    this.#takingDown += took
  }

  async #timed<T>({ title, code, shell }: Step, work: () => Promise<T>): Promise<[result: T, took: number]> {
    const start = performance.now()
    const result = await work()
    const took = performance.now() - start
    this.#steps++
    const time = `${took.toFixed(2)} ms`
    const room = width - 4 - time.length
    console.log(`\n${String(this.#steps).padStart(2)}  ${paint('bold', title.padEnd(room))}${paint('green', time)}`)
    for (const line of code) console.log(`      ${paint('cyan', line)}`)
    for (const line of shell) console.log(`    ${paint('gray', `$ ${line}`)}`)
    return [result, took]
  }

  /** Tells what was seen; throws {@link Unmet} unless it is what was expected. */
  expect(what: string, expected: string, seen: string): void {
    if (this.#isInterrupted()) throw new Interrupted()
    if (seen !== expected) throw new Unmet(`${what}\n  expected: ${expected}\n  but saw:  ${seen}`)
    this.#met++
    console.log(`  ${paint('green', 'ok')}  ${what.padEnd(46)} ${seen}`)
  }

  /** What it all came to. */
  summary(): string {
    const [building, takingDown] = [this.#building, this.#takingDown].map((took) => took.toFixed(1))
    return `${this.#steps} steps: ${building} ms of library calls to build, ${takingDown} ms to take down; ${this.#met} expectations met`
  }
}
