// npm test [-- PATTERN] [--name=REGEXP] [--limit=SECONDS]: sets up, then runs the test files whose path holds PATTERN in a sandbox.

import { join } from 'node:path'
import { root } from './native-build.mjs'
import { endLike, runInSandbox } from './sandbox.mjs'
import { ensureOrExit } from './setup.mjs'

await ensureOrExit({ system: ['build', 'sandbox', 'witnesses'], npm: true, native: true })
endLike(await runInSandbox(process.execPath, ['--import', 'tsx', join(root, 'test/support/runner.ts'), ...process.argv.slice(2)]))
