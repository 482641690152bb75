// `npm run demo`: that it succeeds and leaves nothing, also when it is interrupted; that it notices what is wrong; and that the shell
// commands that it shows do what it says.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import * as assert from 'uvu/assert'
import { type Answer, curl, kernelState, type Outcome, output, run, spawnIn } from './support/lab.ts'
import { suite } from './support/suite.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'examples/demo')
const runScript = join(root, 'scripts/run.mjs')
const program = 'examples/demo/index.ts'
const demo = (...args: string[]): string[] => [runScript, program, ...args]

const test = suite('demo', { limit: 120_000 })

/** Starts the demo and sends it `signal` when it has printed `line`, after `meanwhile`. */
async function interruptedAt(
  line: string,
  signal: NodeJS.Signals,
  args: readonly string[],
  meanwhile: () => Promise<void> = async () => {},
): Promise<Outcome> {
  const child = spawnIn(undefined, process.execPath, demo(...args), { stdio: ['ignore', 'pipe', 'pipe'] })
  const outcome: Outcome = { code: null, stdout: '', stderr: '' }
  let seen: Promise<void> | undefined
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (outcome.stderr += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  for await (const chunk of (child.stdout as Readable).setEncoding('utf8')) {
    outcome.stdout += chunk
    if (!outcome.stdout.includes(line)) continue
    seen ??= meanwhile().finally(() => child.kill(signal))
  }
  const code = await ended
  assert.ok(seen, `no line "${line}" in:\n${outcome.stdout}${outcome.stderr}`)
  await seen
  return { ...outcome, code }
}

// Once up, a loopback keeps its queueing discipline: the demo cannot give back that it never was.
test.before(async () => {
  await output('ip', ['-batch', '-'], { input: 'link set lo up\nlink set lo down\naddress flush dev lo' })
})

let shown = ''

test('builds, uses and takes down the network, and leaves nothing', async () => {
  const before = await kernelState()
  const { code, stdout, stderr } = await run(process.execPath, demo(), { limit: 60_000 })
  assert.is(code, 0, `${stdout}\n${stderr}`)
  shown = stdout
  for (const line of [
    /ok {2}LAN neighbor → http:\/\/192\.0\.2\.1:8080\/ +web answers; it saw 192\.0\.2\.9\n/,
    /ok {2}host → http:\/\/localhost:8080\/ +web answers; it saw 172\.18\.0\.1\n/,
    /ok {2}app → http:\/\/172\.18\.0\.2\/ +web answers; it saw 172\.18\.0\.3\n/,
    /ok {2}app → http:\/\/203\.0\.113\.9\/ +internet answers; it saw 203\.0\.113\.2\n/,
    /ok {2}LAN neighbor → http:\/\/192\.0\.2\.1:9000\/ +ECONNREFUSED\n/,
    /ok {2}LAN neighbor → http:\/\/172\.18\.0\.2:80\/ +no answer within 1 s\n/,
    /│ +lan0 192\.0\.2\.1 +wan0 203\.0\.113\.2 +│\n/,
    /firewall tables: none, as before\n/,
    /\n\d+ steps: [\d.]+ ms of library calls to build, [\d.]+ ms to take down; 13 expectations met; nothing left behind\n$/,
  ]) {
    assert.match(stdout, line)
  }
  assert.not.ok(stdout.includes('\x1b'), 'no color where the output is no terminal')
  assert.equal(await kernelState(), before)
})

test('with --keep it stays up until Ctrl-C, and then goes without a trace', async () => {
  const before = await kernelState()
  const { code, stdout, stderr } = await interruptedAt('Left up until Ctrl-C', 'SIGINT', ['--keep'], async () => {
    const { answer } = await curl('http://192.0.2.1:8080/', { netns: 'lan' })
    assert.is((answer as (Answer & { saw?: string }) | undefined)?.saw, '192.0.2.9')
  })
  assert.is(code, 0, `${stdout}\n${stderr}`)
  assert.match(stdout, /nothing left behind\n$/)
  assert.equal(await kernelState(), before)
})

for (const [signal, line, expected] of [
  ['SIGINT', 'a container with a published port', 130],
  ['SIGTERM', 'the LAN neighbor: a namespace', 143],
] as const) {
  test(`${signal} in the middle leaves nothing, and the exit code is ${expected}`, async () => {
    const before = await kernelState()
    const { code, stdout, stderr } = await interruptedAt(line, signal, ['--keep'])
    assert.is(code, expected, `${stdout}\n${stderr}`)
    assert.match(stdout, /interrupted: cleaning up/)
    assert.match(stdout, /nothing left behind\n$/)
    assert.equal(await kernelState(), before)
  })
}

test('an expectation that is not met is told, and the exit code is 1', async () => {
  const before = await kernelState()
  // Somebody else's firewall, which nothing that ours accepts can overrule.
  await output('nft', ['-f', '-'], {
    input: 'table inet elsewhere { chain forward { type filter hook forward priority 10; tcp dport 80 drop; }; }',
  })
  try {
    const { code, stdout, stderr } = await run(process.execPath, demo(), { limit: 60_000 })
    assert.is(code, 1)
    assert.match(
      stderr,
      /not as expected: LAN neighbor → http:\/\/192\.0\.2\.1:8080\/\n {2}expected: web answers; it saw 192\.0\.2\.9\n {2}but saw: {2}no answer/,
    )
    assert.match(stdout, /nothing left behind\n$/)
  } finally {
    await output('nft', ['delete', 'table', 'inet', 'elsewhere'])
  }
  assert.equal(await kernelState(), before)
})

test('something that is in the way is told, and what was made before it goes', async () => {
  const before = await kernelState()
  await output('ip', ['link', 'add', 'br-lab', 'type', 'bridge'])
  try {
    const { code, stdout, stderr } = await run(process.execPath, demo(), { limit: 60_000 })
    assert.is(code, 1)
    assert.match(stderr, /EEXIST.*br-lab/)
    assert.match(stdout, /nothing left behind\n$/)
  } finally {
    await output('ip', ['link', 'delete', 'br-lab'])
  }
  assert.equal(await kernelState(), before)
})

test('does not run outside of a sandbox', async () => {
  const env = { TSX_TSCONFIG_PATH: join(root, 'tsconfig.check.json') }
  // A sanitizer's library, which only a command that is Node itself is given.
  const preload = `LD_PRELOAD=${process.env['LD_PRELOAD'] ?? ''}`
  // A network namespace without the rest of a sandbox.
  const { code, stderr } = await run(
    'unshare',
    ['--net', 'env', preload, process.execPath, '--import', 'tsx', join(root, program)],
    { env },
  )
  assert.is(code, 1)
  assert.match(stderr, /in a sandbox only: npm run demo/)
})

test('an option that it does not know is refused', async () => {
  const { code, stderr } = await run(process.execPath, demo('--kep'))
  assert.is(code, 2)
  assert.match(stderr, /--kep[\s\S]*usage: npm run demo \[-- --keep\]/)
})

/** `ip netns exec` mounts /sys anew, which only the machine's root may. */
const isRealRoot = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))

test.skipIf(
  !isRealRoot && 'ip netns exec is not for user namespaces',
  'the shell commands that it shows build the same network, and take it down',
  async () => {
    const [building = '', takingDown = ''] = shown.split('\nTaking it down\n')
    const commands = (text: string): string[] => Array.from(text.matchAll(/^ {4}\$ (.*)$/gm), ([, command = '']) => command)
    assert.ok(commands(building).length > 50)
    const ask = (netns: string, url: string): string => `ip netns exec ${netns} node ask.mjs ${url} 1000`
    const script = [
      'set -eu',
      'mount -t tmpfs tmpfs /run && mkdir /run/netns',
      // Whatever goes wrong, the servers end with the script.
      `servers=; trap 'kill $servers' EXIT`,
      ...commands(building).map((command) => (command.endsWith('&') ? `${command} servers="$servers $!"` : command)),
      // The two servers take a moment to listen.
      'for second in 1 2 3 4 5 6 7 8 9; do ss -N web -tln | grep -q :9000 && ss -N internet -tln | grep -q :80 && break; sleep 1; done',
      ask('lan', 'http://192.0.2.1:8080/'),
      'node ask.mjs http://localhost:8080/ 1000',
      ask('web', 'http://192.0.2.1:8080/'),
      ask('app', 'http://172.18.0.2/'),
      ask('app', 'http://203.0.113.9/'),
      ask('lan', 'http://192.0.2.1:9000/'),
      ask('lan', 'http://172.18.0.2/'),
      ...commands(takingDown),
      // Each line that is still there fails the test.
      'ip -oneline link | grep -v " lo:" || :; nft list ruleset; ip netns list; ip -oneline address show dev lo',
    ].join('\n')
    const env = { PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` }
    const { code, stdout, stderr } = await run(
      'unshare',
      ['--net', '--mount', '--propagation', 'private', 'sh', '-c', `cd "$0" && eval "$1"`, folder, script],
      { env, limit: 60_000 },
    )
    assert.is(code, 0, `${stdout}\n${stderr}`)
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { server?: string; saw?: string; error?: string })
    assert.equal(
      answers.map(({ server, saw, error }) => error ?? `${server} saw ${saw}`),
      [
        'web saw 192.0.2.9',
        'web saw 172.18.0.1',
        'web saw 172.18.0.1',
        'web saw 172.18.0.3',
        'internet saw 203.0.113.2',
        'ECONNREFUSED',
        'no answer',
      ],
    )
  },
)

test.run()
