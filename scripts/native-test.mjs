// npm run test:native: builds and runs native/test/**/*_test.cc. Nothing of Node or JavaScript is in them.

import { join } from 'node:path'
import { cmakeBuild, ctest } from './cmake-build.mjs'
import { endLike, runInSandbox } from './sandbox.mjs'
import { ensureOrExit, orExit } from './setup.mjs'

await ensureOrExit({ system: ['build', 'sandbox', 'cmake'], npm: true })
const folder = await orExit(() => cmakeBuild('build-cmake'))
const [command = '', ...args] = ctest
endLike(await runInSandbox(command, [...args, join(folder, 'build'), ...process.argv.slice(2)]))
