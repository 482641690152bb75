// Sysctls of any network namespace, read and written by cat and tee there: /proc/sys/net shows the namespace of whoever opens it.

import { type NetnsRef, output } from './command.ts'

/** `key` with dots or, where an interface name holds one, with slashes. */
const file = (key: string): string => `/proc/sys/${key.includes('/') ? key : key.replaceAll('.', '/')}`

export async function readSysctl(key: string, netns?: NetnsRef): Promise<string> {
  return (await output('cat', [file(key)], { netns })).trim()
}

export async function writeSysctl(key: string, value: string | number, netns?: NetnsRef): Promise<void> {
  await output('tee', [file(key)], { netns, input: String(value) })
}
