// `npm run examples`: that each goes as it says and leaves nothing, and that what does not go so is told.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { kernelState, output, run } from './support/lab.ts'
import { suite } from './support/suite.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'examples')
const files = readdirSync(folder).filter((name) => /^s\d\d-/.test(name))
const examples = (...patterns: string[]): string[] => [join(root, 'scripts/run.mjs'), 'examples/index.ts', ...patterns]

/** What the kernel lacks. */
const needs: Readonly<Record<string, string | false>> = {
  's17-database-network.ts': !existsSync('/proc/sys/net/bridge') && 'this kernel has no br_netfilter',
}

const test = suite('examples', { limit: 120_000 })

// The examples have it up, as any host does.
test.before(async () => {
  await output('ip', ['link', 'set', 'lo', 'up'])
})

test('there is one for each scenario that is to be learned from', () => {
  const scenarios = files.map((name) => name.slice(0, 3)).sort()
  assert.equal(scenarios, ['s03', 's05', 's07', 's09', 's12', 's17', 's18', 's22'])
})

for (const file of files) {
  test.skipIf(needs[file], `${file} goes as it says and leaves nothing`, async () => {
    const before = await kernelState()
    const { code, stdout, stderr } = await run(process.execPath, examples(file), { limit: 100_000 })
    assert.is(code, 0, `${stdout}\n${stderr}`)
    assert.match(stdout, /\n {4}ok: /)
    assert.match(stdout, /\n1 of 1 examples went as they say\n$/)
    assert.equal(await kernelState(), before)
  })
}

test('what is not as it says is told, the exit code is 1, and nothing is left', async () => {
  const before = await kernelState()
  // Somebody else's firewall, which nothing that ours accepts can overrule.
  await output('nft', ['-f', '-'], {
    input: 'table inet elsewhere { chain forward { type filter hook forward priority 10; tcp dport 80 reject; }; }',
  })
  try {
    const { code, stdout, stderr } = await run(process.execPath, examples('s03', 's09'), { limit: 100_000 })
    assert.is(code, 1, `${stdout}\n${stderr}`)
    assert.match(stdout, /\n {4}NOT SO: lan: web saw 192\.0\.2\.9\n/)
    assert.match(stderr, /not as expected: lan: web saw 192\.0\.2\.9\n/)
    assert.match(
      stdout,
      /\n {2}ok {6}s03-veth-pair \([\d.]+ s\)\n {2}FAILED {2}s09-published-port \([\d.]+ s; ended with exit code 1\)\n/,
    )
    assert.match(stdout, /\n1 of 2 examples went as they say\n$/)
  } finally {
    await output('nft', ['delete', 'table', 'inet', 'elsewhere'])
  }
  assert.equal(await kernelState(), before)
})

test('a name that no example has is refused', async () => {
  const { code, stderr } = await run(process.execPath, examples('s99'))
  assert.is(code, 2)
  assert.match(stderr, /no example is called s99/)
})

test('none runs outside of a sandbox', async () => {
  const env = { TSX_TSCONFIG_PATH: join(root, 'tsconfig.check.json') }
  // A sanitizer's library, which only a command that is Node itself is given.
  const preload = `LD_PRELOAD=${process.env['LD_PRELOAD'] ?? ''}`
  for (const file of ['index.ts', 's03-veth-pair.ts']) {
    // A network namespace without the rest of a sandbox.
    const args = ['--net', 'env', preload, process.execPath, '--import', 'tsx', join(folder, file)]
    const { code, stderr } = await run('unshare', args, { env })
    assert.is(code, 1)
    assert.match(stderr, /in a sandbox only: npm run examples/)
  }
})

test.run()
