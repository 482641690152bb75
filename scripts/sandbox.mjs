// Runs a command where it cannot touch the machine's network: in a new network namespace and a new mount namespace with a /run of its
// own (so that /run/netns is private too), and as an ordinary user in a new user namespace around both.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'

// Lies on the private /run and holds the name of the namespace that it was made in: a variable left over in some shell, or one half of
// the sandbox without the other, does not pass for a sandbox.
const marker = '/run/netlink-ct-sandbox'

// Where /etc/resolv.conf is a link into /run, as systemd-resolved has it, there is an empty one: a link to nothing cannot be mounted over.
const resolvConf = `file=$(readlink -m /etc/resolv.conf) && case "$file" in /run/*) mkdir -p "\${file%/*}" && : > "$file";; esac`

const prepare = `mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/netns && readlink /proc/self/ns/net > ${marker} && ${resolvConf}`

/** @returns {boolean} whether this process is in a sandbox, asked of the kernel */
export function inSandbox() {
  return existsSync(marker) && readFileSync(marker, 'utf8').trim() === readlinkSync('/proc/self/ns/net')
}

/** @returns {string[]} */
function unshare() {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  return [...user, '--net', '--mount', '--propagation', 'private']
}

/**
 * @param {string} file
 * @returns {string | undefined}
 */
const sysctl = (file) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined)

/** @returns {string} the setting that forbids what failed, as far as the kernel shows it */
function obstacle() {
  if (process.getuid?.() === 0) return 'root here lacks CAP_SYS_ADMIN: in a container, start it with --privileged'
  if (sysctl('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return 'user namespaces are forbidden to ordinary users: sysctl -w kernel.unprivileged_userns_clone=1'
  }
  if (sysctl('/proc/sys/user/max_user_namespaces') === '0') {
    return 'no user namespace may be made: sysctl -w user.max_user_namespaces=15000'
  }
  if (sysctl('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return 'AppArmor strips user namespaces of their rights: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
  }
  return 'the kernel or a container runtime forbids user namespaces to this user'
}

/**
 * @returns {string | undefined} why no sandbox can be made here, with what would change that
 */
export function sandboxObstacle() {
  const probe = spawnSync('unshare', [...unshare(), 'sh', '-c', prepare], { encoding: 'utf8' })
  if (probe.error) return `unshare could not be started (${probe.error.message}): it comes with the package util-linux`
  if (probe.status === 0) return undefined
  return `no sandbox can be made: ${probe.stderr.trim()}\n${obstacle()}; or run this as root.`
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {[string, string[]]} what runs the command in a sandbox of its own; also inside of another one
 */
export function sandboxed(command, args) {
  // unshare and sh exec what follows, so the child's pid is the command's own.
  return ['unshare', [...unshare(), 'sh', '-c', `${prepare} && exec "$@"`, 'sh', command, ...args]]
}

/**
 * Runs `command` in a sandbox (in this one, if this is one) with the same standard streams, and hands signals on to it. Ends the process
 * with a message where no sandbox can be made.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>} how it ended
 */
export async function runInSandbox(command, args, env = process.env) {
  const inside = inSandbox()
  const reason = inside ? undefined : sandboxObstacle()
  if (reason !== undefined) {
    console.error(`netlink-ct: ${reason}`)
    process.exit(1)
  }
  const [file, words] = inside ? [command, args] : sandboxed(command, args)
  const child = spawn(file, words, { stdio: 'inherit', env })

  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // A terminal sends Ctrl-C to the child as well: a second one would mean "at once" to it.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  const [code, signal] = await once(child, 'exit')
  for (const signal of signals) process.off(signal, forward)
  return { code, signal }
}

/**
 * Ends this process as another one ended.
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} end
 */
export function endLike({ code, signal }) {
  if (signal === null) process.exitCode = code ?? 1
  else process.kill(process.pid, signal)
}
