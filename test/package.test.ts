// The package as a user gets it: packed, installed into an empty project without any install script, imported, used.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { json, output, run } from './support/lab.ts'
import { suite } from './support/suite.ts'

const root = join(import.meta.dirname, '..')

// What a user's shell does not have: it would make the installed package load the addon of this repository.
const env = { NETLINK_CT_PREBUILD: undefined, LD_PRELOAD: undefined, NODE_OPTIONS: undefined }
const limit = 300_000

const test = suite('package', { limit })
let project = ''
let packed: string[] = []

const npm = (...args: string[]): Promise<string> =>
  output('sh', ['-c', 'cd "$0" && exec npm "$@"', project, ...args, '--offline', '--no-audit', '--no-fund'], { env, limit })

/** Runs a module in the project with what a user's Node would find there. */
const script = (text: string): string[] => ['-c', 'cd "$0" && exec node --input-type=module -e "$1"', project, text]

test.before(async () => {
  await output(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root], { limit })
  await output(process.execPath, [join(root, 'scripts/prebuild.mjs'), '--if-stale'], { env, limit })
  project = await mkdtemp(join(tmpdir(), 'netlink-ct-package-'))
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ name: 'consumer', version: '1.0.0', private: true, type: 'module' }),
  )
  // The only dependency comes out of node_modules, for the sandbox has no way to a registry.
  const tarballs = JSON.parse(
    await npm('pack', '--json', '--ignore-scripts', root, join(root, 'node_modules/node-gyp-build')),
  ) as {
    name: string
    filename: string
    files: { path: string }[]
  }[]
  packed = tarballs.find(({ name }) => name === 'netlink-ct')?.files.map(({ path }) => path) ?? []
  await npm('install', '--ignore-scripts', ...tarballs.map(({ filename }) => join(project, filename)))
})

test.after(() => rm(project, { recursive: true, force: true }))

test('holds the compiled library, its types, its sources, a prebuilt addon and the licence', () => {
  for (const path of [
    'dist/index.js',
    'dist/index.d.ts',
    'lib/index.ts',
    'package.json',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
  ]) {
    assert.ok(packed.includes(path), `${path} in ${packed.join(' ')}`)
  }
  assert.ok(packed.some((path) => /^prebuilds\/linux-[^/]+\/netlink-ct\.(glibc|musl)\.node$/.test(path)))
})

test('holds no recipe that npm would build from, no script that npm would run, and no test', async () => {
  for (const path of packed) assert.not.match(path, /binding\.gyp|\.test\.|^test\/|^native\/test\//)
  const manifest = JSON.parse(await readFile(join(project, 'node_modules/netlink-ct/package.json'), 'utf8'))
  assert.is(manifest.gypfile, false)
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) assert.is(manifest.scripts[hook], undefined)
})

test('imports, and makes a namespace that ip sees', async () => {
  const program = `
    import { createNetns, deleteNetns } from 'netlink-ct'
    if (typeof createNetns !== 'function') throw new TypeError('no createNetns')
    const netns = await createNetns('packed')
    console.log(netns.path)
    await netns.close()`
  assert.is((await output('sh', script(program), { env })).trim(), '/run/netns/packed')
  const names = (await json<{ name: string }[]>('ip', ['netns', 'list'])).map(({ name }) => name)
  assert.ok(names.includes('packed'))
  await output('sh', script(`import { deleteNetns } from 'netlink-ct'; await deleteNetns('packed')`), { env })
  assert.equal(await json('ip', ['netns', 'list']), [])
})

test('gives a strict TypeScript project its types', async () => {
  await writeFile(
    join(project, 'consumer.ts'),
    `import { createNetns, type Netns } from 'netlink-ct'\nexport const made: Promise<Netns> = createNetns('x')\n// @ts-expect-error\nexport const wrong: number = createNetns\n`,
  )
  const compilerOptions = {
    ...{ noEmit: true, strict: true, module: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'] },
    ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
  }
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  const { code, stdout } = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], { env })
  assert.is(code, 0, stdout)
})

test('says what to install where libmnl is missing', async () => {
  const folder = join(project, `node_modules/netlink-ct/prebuilds/${process.platform}-${process.arch}`)
  const linked = await output('sh', ['-c', `ldd ${folder}/*.node`])
  const library = /libmnl\.so\.0 => (\S+)/.exec(linked)?.[1] ?? ''
  assert.ok(library.startsWith('/'), linked)
  // An overlay over the library's folder, with a whiteout in its place, in one more mount namespace: nobody else misses it.
  const real = (await output('readlink', ['-f', library])).trim()
  const isRealRoot = /^\s*0\s+0\s+4294967295$/.test((await readFile('/proc/self/uid_map', 'utf8')).trim())
  const hide = `
    mkdir /run/hidden && mount -t tmpfs tmpfs /run/hidden && mkdir /run/hidden/upper /run/hidden/work &&
    for name in "$(basename "$2")" "$(basename "$3")"; do [ -e "/run/hidden/upper/$name" ] || mknod "/run/hidden/upper/$name" c 0 0 || exit; done &&
    folder=$(dirname "$3") &&
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=/run/hidden/upper,workdir=/run/hidden/work$4" "$folder" || exit 99
    cd "$0" && exec node --input-type=module -e "$1"`
  const args = [project, `await import('netlink-ct')`, library, real, isRealRoot ? '' : ',userxattr']
  const { code, stderr } = await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', hide, ...args], { env })
  await rm('/run/hidden', { recursive: true, force: true })
  assert.is.not(code, 99, `no overlay: ${stderr}`)
  assert.is(code, 1, stderr)
  for (const command of ['apt-get install libmnl0', 'apk add libmnl', 'dnf install libmnl']) {
    assert.ok(stderr.includes(command), `"${command}" in:\n${stderr}`)
  }
})

test.run()
