// Brings a fresh machine to where the tests and the demo run: system packages, node_modules, the native addon. When all is there it
// does nothing, quietly and in a few milliseconds.
//
//   import { ensure } from './setup.mjs'
//   await ensure({ system: ['build', 'sandbox', 'witnesses'], npm: true, native: true })
//
// or: node scripts/setup.mjs build sandbox witnesses

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildNative, isNativeStale, root } from './native-build.mjs'
import { installer, installers, requirements } from './system-packages.mjs'

/** What stands in the way, in words meant for the person at the terminal. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError'
}

/** @param {string} text */
const progress = (text) => process.stderr.write(`setup: ${text}\n`)

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {boolean}
 */
function succeeds(command, args, env = process.env) {
  return spawnSync(command, args, { cwd: root, env, stdio: ['ignore', process.stderr, process.stderr] }).status === 0
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    throw new SetupError(`Node.js 20.19 or newer is needed, this is ${process.version}`)
}

/** @param {readonly string[]} groups */
function ensureSystem(groups) {
  const missing = groups.flatMap((group) => {
    const needed = requirements[group]
    if (needed === undefined) throw new TypeError(`no such group of requirements: ${group}`)
    return Object.entries(needed).filter(([, requirement]) => !requirement.probe())
  })
  if (missing.length === 0) return

  const names = missing.map(([name]) => name).join(', ')
  const manager = installer()
  if (manager === undefined) {
    const packages = new Set(missing.map(([, requirement]) => requirement.packages.apt))
    throw new SetupError(
      `missing: ${names}. This distribution is not known here; on Debian the packages are called ${[...packages].join(' ')}.`,
    )
  }
  const packages = [...new Set(missing.map(([, requirement]) => requirement.packages[manager]))]
  const { update, install } = installers[manager]
  const commands = [...(update ? [update] : []), [...install, ...packages]]
  const words = commands.map((command) => command.join(' ')).join(' && ')
  if (process.getuid?.() !== 0) throw new SetupError(`missing: ${names}. As root, run:\n\n    ${words}\n`)

  progress(`installing ${packages.join(' ')} (for ${names})`)
  for (const [command = '', ...args] of commands) {
    if (!succeeds(command, args, { ...process.env, DEBIAN_FRONTEND: 'noninteractive' })) {
      throw new SetupError(`${[command, ...args].join(' ')} failed; needed for: ${names}`)
    }
  }
  const still = missing.filter(([, requirement]) => !requirement.probe()).map(([name]) => name)
  if (still.length > 0) throw new SetupError(`still missing after installing ${packages.join(' ')}: ${still.join(', ')}`)
}

const stamp = join(root, 'node_modules/.netlink-ct-lock')

/** @returns {string} */
const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

/** @returns {boolean} whether node_modules was made from another package-lock.json, or not at all */
function isNpmStale() {
  try {
    return readFileSync(stamp, 'utf8') !== lockDigest()
  } catch {
    return true
  }
}

function installModules() {
  progress('npm ci')
  if (!succeeds('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) throw new SetupError('npm ci failed')
  writeFileSync(stamp, lockDigest())
}

/**
 * Does what is stale. Runs under the lock, so that what another process did in the meantime is not done again.
 * @param {{ npm: boolean, native: boolean }} wanted
 */
function refresh({ npm, native }) {
  if (npm && isNpmStale()) installModules()
  if (native && isNativeStale()) {
    progress('building the native addon')
    if (!buildNative()) throw new SetupError('the native addon could not be built')
  }
}

/**
 * Makes sure that the named groups of programs (see system-packages.mjs) are installed, that node_modules follows package-lock.json
 * and that the native addon is newer than its sources. Rejects with a {@link SetupError} that says what to do.
 * @param {{ system?: readonly string[], npm?: boolean, native?: boolean }} wanted
 * @returns {Promise<void>}
 */
export async function ensure({ system = [], npm = false, native = false }) {
  checkNode()
  ensureSystem(system)
  if (!(npm && isNpmStale()) && !(native && isNativeStale())) return
  // The kernel drops the lock with its holder, whatever becomes of it. package.json is only a file that every checkout has.
  const jobs = ['--refresh', ...(npm ? ['npm'] : []), ...(native ? ['native'] : [])]
  if (!succeeds('flock', [join(root, 'package.json'), process.execPath, fileURLToPath(import.meta.url), ...jobs])) {
    throw new SetupError('not set up: see above')
  }
}

/**
 * For the scripts in this folder: ends the process with the message alone if something is in the way.
 * @template T
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function orExit(work) {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(`netlink-ct: ${error.message}`)
    process.exit(1)
  }
}

/**
 * @param {Parameters<typeof ensure>[0]} wanted
 * @returns {Promise<void>}
 */
export const ensureOrExit = (wanted) => orExit(() => ensure(wanted))

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, ...others] = process.argv.slice(2)
  if (first === '--refresh') await orExit(() => refresh({ npm: others.includes('npm'), native: others.includes('native') }))
  else await ensureOrExit({ system: process.argv.slice(2), npm: true, native: true })
}
