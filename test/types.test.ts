// What does not compile, does not; what a result is said to be, it is; and nowhere is it `any`.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import * as library from '../lib/index.ts'
import { type Outcome, run } from './support/command.ts'
import { suite } from './support/suite.ts'

const test = suite('types')
const root = join(import.meta.dirname, '..')
const source = join(import.meta.dirname, 'types')
const files = (await readdir(source)).filter((name) => name.endsWith('.ts'))
const directive = /^\s*\/\/ @ts-expect-error .+$/

let folder: string
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netlink-ct-types-'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
})
test.after(() => rm(folder, { recursive: true, force: true }))

const tsc = (...args: string[]): Promise<Outcome> =>
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...args], { limit: 60_000 })

/** Compiles test/types as `change` rewrites it. */
async function compile(name: string, change: (text: string) => string): Promise<Outcome> {
  const config = join(folder, `${name}.json`)
  for (const file of files) {
    const text = await readFile(join(source, file), 'utf8')
    await writeFile(join(folder, file), change(text).replaceAll("'../../lib/", `'${root}/lib/`))
  }
  const compilerOptions = { rootDir: '/', typeRoots: [join(root, 'node_modules/@types')], rewriteRelativeImportExtensions: false }
  const include = files.map((file) => join(folder, file))
  await writeFile(config, JSON.stringify({ extends: join(root, 'tsconfig.check.json'), compilerOptions, include }))
  return tsc('-p', config, '--pretty', 'false')
}

/** `file:line` and the text of each line below a directive. */
async function expected(): Promise<Map<string, string>> {
  const lines = new Map<string, string>()
  for (const file of files) {
    const text = (await readFile(join(source, file), 'utf8')).split('\n')
    for (const [at, line] of text.entries()) if (directive.test(line)) lines.set(`${file}:${at + 2}`, text[at + 1] ?? '')
  }
  return lines
}

test('every mistake is an error, and every result has its type', async () => {
  const { code, stdout } = await compile('as-it-is', (text) => text)
  assert.is(code, 0, stdout)
})

test('each of them is an error by itself, and none for a name that is misspelt in the test', async () => {
  const { code, stdout } = await compile('stripped', (text) => text.replaceAll('// @ts-expect-error', '//'))
  assert.is.not(code, 0)
  const found = [...stdout.matchAll(/([\w-]+\.ts)\((\d+),\d+\): error (TS\d+)/g)]
  const places = new Set(found.map(([, file, line]) => `${file}:${line}`))
  assert.equal([...places].sort(), [...(await expected()).keys()].sort())
  // A name that is nowhere; a module that is nowhere.
  assert.equal(
    found.filter(([, , , error]) => ['TS2304', 'TS2307', 'TS2552', 'TS2305'].includes(error ?? '')).map(([line]) => line),
    [],
  )
})

test('every function of the library is misused at least once', async () => {
  const misuses = [...(await expected()).values()].join('\n')
  const verbs = Object.entries(library).flatMap(([name, value]) =>
    typeof value === 'function' && /^[a-z]/.test(name) ? [name] : [],
  )
  assert.ok(verbs.length > 60, `${verbs.length} verbs`)
  assert.equal(
    verbs.filter((verb) => !new RegExp(`\\b${verb}\\(`).test(misuses)),
    [],
  )
})

/** Where a declaration says `any`, comments, strings and members of that name aside. */
const anyIn = (text: string): string[] =>
  text
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/gm, '')
    .split('\n')
    .filter((line) => /\bany\b(?!\??:)/.test(line))

test('no declaration of the package says any', async () => {
  assert.equal(anyIn("/** any */\nexport type A = 'any' // any\nexport declare const a: any"), ['export declare const a: any'])
  assert.equal(anyIn('readonly any: string\nreadonly any?: any'), ['readonly any?: any'])
  const { code, stdout } = await tsc('-p', root, '--outDir', join(folder, 'dist'), '--emitDeclarationOnly')
  assert.is(code, 0, stdout)
  const declarations = (await readdir(join(folder, 'dist'), { recursive: true })).filter((name) => name.endsWith('.d.ts'))
  assert.ok(declarations.includes('index.d.ts') && declarations.length > 50, `${declarations.length} declarations`)
  for (const name of declarations) assert.equal(anyIn(await readFile(join(folder, 'dist', name), 'utf8')), [], name)
})

test.run()
