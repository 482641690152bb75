// Removes all that was built, and nothing that was installed.

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './native-build.mjs'

for (const name of readdirSync(root)) {
  if (['build', 'dist', 'prebuilds'].includes(name) || name.startsWith('build-')) rmSync(join(root, name), { recursive: true })
}
