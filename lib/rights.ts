// What a process lacks when the kernel says EPERM or EACCES: the capability, and in which user namespace.

import type { KernelRefusal } from './native.ts'

interface Right {
  readonly codes: readonly ('EPERM' | 'EACCES')[]
  readonly syscall: RegExp
  /** Of what the call was for: a path, mostly. */
  readonly step?: RegExp
  readonly needs: string
}

const owner = 'in the user namespace that owns the network namespace'
const either = ['EPERM', 'EACCES'] as const

/** The first that fits counts. */
const rights: readonly Right[] = [
  { codes: ['EPERM'], syscall: /^(RTM|NFT|NFNL|IPCTNL)_/, needs: `CAP_NET_ADMIN ${owner}` },
  // EACCES where the file does not open, EPERM where the setting itself asks (ip_forward).
  { codes: either, syscall: /^(open|write)$/, step: /^\/proc\/sys\/net\//, needs: `CAP_NET_ADMIN ${owner}` },
  { codes: either, syscall: /^open$/, step: /^\/proc\/\d+\/ns\//, needs: 'CAP_SYS_PTRACE in the user namespace of that process' },
  { codes: ['EPERM'], syscall: /^setns$/, needs: `CAP_SYS_ADMIN ${owner}, and in the process's own` },
  { codes: ['EPERM'], syscall: /^unshare$/, needs: "CAP_SYS_ADMIN in the process's user namespace" },
  { codes: either, syscall: /^(mount|umount2)$/, needs: 'CAP_SYS_ADMIN in the user namespace that owns the mount namespace' },
  { codes: either, syscall: /^(mkdir|open|unlink|flock)$/, step: /^\/run\/netns/, needs: 'the right to write to /run/netns' },
  {
    codes: either,
    syscall: /^open$/,
    step: /^\/dev\/net\/tun$/,
    needs: 'the right to open /dev/net/tun (its mode, and the device cgroup)',
  },
  { codes: ['EPERM'], syscall: /^ioctl$/, step: /^attach to /, needs: `the device's owner and group, or CAP_NET_ADMIN ${owner}` },
  { codes: ['EPERM'], syscall: /^setsockopt$/, step: /all namespaces/, needs: `CAP_NET_BROADCAST ${owner}` },
  { codes: ['EPERM'], syscall: /^setsockopt$/, needs: `CAP_NET_ADMIN ${owner}` },
  { codes: ['EACCES'], syscall: /^bind$/, needs: `CAP_NET_BIND_SERVICE ${owner}` },
  { codes: ['EPERM'], syscall: /^ioctl$/, needs: `CAP_NET_ADMIN ${owner}` },
]

/** `needs CAP_NET_ADMIN in …`; undefined where the refusal is about something else. */
export function rightsHint(code: string, { syscall, step = '' }: KernelRefusal): string | undefined {
  const lacking = rights.find(
    (right) =>
      right.codes.some((one) => one === code) &&
      right.syscall.test(syscall) &&
      (right.step === undefined || right.step.test(step)),
  )
  return lacking && `needs ${lacking.needs}`
}
