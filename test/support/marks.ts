// What a program does between two marks in the trace of its system calls, as strace sees it.

import { accessSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { run } from './command.ts'
import { nodeWithin } from './program.ts'

/** For the program: makes a mark. */
export function mark(name: 'begin' | 'end'): void {
  try {
    accessSync(`/netlink-ct/${name}`)
  } catch {}
}

// All that speaks netlink, enters or makes a namespace, mounts, or opens a file.
const watched = 'sendto,sendmsg,setns,unshare,mount,umount2,socket,openat,ioctl,clone,clone3,vfork'

// Files of the module loader and the memory of V8 come and go; a file of /proc/sys or of a namespace does not.
// A call that another thread's interrupted is judged where it began.
const harmless =
  /<\.\.\. \w+ resumed>|\b(ioctl|openat)\((?!.*(\/proc\/(sys|self\/ns|thread-self\/ns)|\/run\/netns|\/dev\/net))|\baccess\(|\bclone3?\(.*CLONE_THREAD/

export interface Marked<T> {
  /** What it printed. */
  answers: T
  /** Calls that reach for the network between the marks. */
  between: string[]
}

/** Runs `fixture`, whose output is JSON. */
export async function betweenMarks<T>(fixture: string): Promise<Marked<T>> {
  const folder = mkdtempSync(join(tmpdir(), 'netlink-ct-'))
  try {
    const log = join(folder, 'calls')
    const strace = ['strace', '-f', '-qq', '-o', log, '-e', `trace=${watched},access`]
    const [command = '', ...args] = nodeWithin(strace, ['--import', 'tsx', fixture, 'make'])
    const { code, stdout, stderr } = await run(command, args)
    assert.is(code, 0, stderr)
    const lines = readFileSync(log, 'utf8').split('\n')
    const begin = lines.findIndex((line) => line.includes('/netlink-ct/begin'))
    const end = lines.findIndex((line) => line.includes('/netlink-ct/end'))
    assert.ok(begin !== -1 && end > begin, 'both marks are there')
    const between = lines.slice(begin + 1, end).filter((line) => !harmless.test(line))
    return { answers: JSON.parse(stdout) as T, between }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
