// uvu's suite() as every test here uses it: typed, with skips that carry a reason, a limit on each test, and outcomes that reach the
// runner also where uvu loses them (a hook that throws, a thrown value that is no Error).

import { inspect } from 'node:util'
import { suite as uvuSuite } from 'uvu'
import { report } from './report.ts'

type Body = () => void | Promise<void>

export interface Limit {
  /** Milliseconds after which the runner kills the file and names this test. */
  limit?: number
}

export interface Suite {
  /** The name is a sentence that is true when the test passes. */
  (name: string, body: Body, options?: Limit): void
  /** With a reason the test does not run, is counted as skipped, and the reason is printed; with `false` or `undefined` it runs. */
  skipIf(reason: string | false | undefined, name: string, body: Body, options?: Limit): void
  before: Hook
  after: Hook
  /** Without it the suite does not run, and the runner fails the file. */
  run(): void
}

export interface Hook {
  (body: Body): void
  each(body: Body): void
}

/** `npm test -- --limit=SECONDS` and `--name=REGEXP` arrive here through the environment. */
export const LIMIT_VARIABLE = 'NETLINK_CT_TEST_LIMIT'
export const NAME_VARIABLE = 'NETLINK_CT_TEST_NAME'

const defaultLimit = Number(process.env[LIMIT_VARIABLE] ?? 60_000)
const wanted = new RegExp(process.env[NAME_VARIABLE] ?? '')

/** uvu formats `name`, `message` and `stack`, and stumbles over anything that lacks them. */
function toError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(`thrown: ${inspect(thrown)}`)
  if (thrown.cause !== undefined) thrown.stack += `\n    [cause]: ${inspect(thrown.cause)}`
  return thrown
}

export function suite(name: string, { limit: suiteLimit = defaultLimit }: Limit = {}): Suite {
  const uvu = uvuSuite(name)
  const beforeEach: Body[] = []
  const afterEach: Body[] = []
  const skips: { test: string; reason: string }[] = []

  /** Runs `body` and reports a failure under `test`; the error goes on to uvu, which stops the suite or counts the test. */
  async function watched(test: string, limit: number, body: Body): Promise<void> {
    report({ type: 'start', test, limit })
    try {
      await body()
    } catch (thrown) {
      const error = toError(thrown)
      report({ type: 'failed', test, error: error.message })
      throw error
    }
  }

  /** uvu runs `after.each` twice for a test in which it throws, so both kinds of hook run here, as part of the test. */
  async function withHooks(body: Body): Promise<void> {
    const errors: unknown[] = []
    try {
      for (const hook of beforeEach) await hook()
      await body()
    } catch (error) {
      errors.push(error)
    }
    for (const hook of afterEach) await Promise.resolve().then(hook).catch(errors.push.bind(errors))
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.map(String).join('; '))
  }

  const test = (title: string, body: Body, { limit = suiteLimit }: Limit = {}): void => {
    const label = `${name} › ${title}`
    if (!wanted.test(label)) return
    uvu(title, async () => {
      await watched(label, limit, () => withHooks(body))
      report({ type: 'passed', test: label })
    })
  }

  const hook = (kind: 'before' | 'after', each: Body[]): Hook =>
    Object.assign(
      (body: Body): void => {
        // uvu says nothing of an error here: it is printed where it happens.
        const loud = (): Promise<void> =>
          watched(`${name} › ${kind} hook`, suiteLimit, body).catch((error: Error) => {
            console.error(`\n${error.stack}`)
            throw error
          })
        uvu[kind](loud)
      },
      { each: (body: Body): void => void each.push(body) },
    )

  return Object.assign(test, {
    skipIf(reason: string | false | undefined, title: string, body: Body, options?: Limit): void {
      if (!reason) {
        test(title, body, options)
        return
      }
      const label = `${name} › ${title}`
      if (!wanted.test(label)) return
      skips.push({ test: label, reason })
      uvu.skip(title)
    },
    before: hook('before', beforeEach),
    after: hook('after', afterEach),
    run(): void {
      for (const { test, reason } of skips.splice(0)) report({ type: 'skipped', test, reason })
      uvu.run()
    },
  })
}
