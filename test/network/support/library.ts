// Where programs of their own import the library from.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const libraryUrl: string = pathToFileURL(join(import.meta.dirname, '../../../lib/index.ts')).href
