// Which program or header each job needs, and the package that brings it on each family of distributions.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {'apt' | 'dnf' | 'apk' | 'pacman' | 'zypper'} Installer
 * @typedef {{ probe: () => boolean, packages: Record<Installer, string> }} Requirement
 */

/** @type {Record<Installer, { update?: string[], install: string[], ids: string[] }>} */
export const installers = {
  apt: {
    update: ['apt-get', 'update', '-qq'],
    install: ['apt-get', 'install', '-y', '-qq', '--no-install-recommends'],
    ids: ['debian', 'ubuntu'],
  },
  dnf: { install: ['dnf', 'install', '-y', '-q'], ids: ['fedora', 'rhel', 'centos'] },
  apk: { install: ['apk', 'add', '-q', '--no-cache'], ids: ['alpine'] },
  pacman: { install: ['pacman', '-Sy', '--noconfirm', '--needed'], ids: ['arch'] },
  zypper: { install: ['zypper', '-n', '-q', 'install'], ids: ['suse', 'opensuse'] },
}

// An ordinary user's PATH often lacks the folders where ip and nft live.
const path = new Set([...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'])
process.env['PATH'] = [...path].join(':')

/**
 * @param {string} name
 * @returns {boolean}
 */
const hasProgram = (name) => [...path].some((folder) => existsSync(join(folder, name)))

/**
 * @param {string} program
 * @param {string | Record<Installer, string>} packages
 * @returns {Requirement}
 */
const program = (program, packages) => ({
  probe: () => hasProgram(program),
  packages:
    typeof packages === 'string' ? { apt: packages, dnf: packages, apk: packages, pacman: packages, zypper: packages } : packages,
})

const conntrackTools = { dnf: 'conntrack-tools', apk: 'conntrack-tools', pacman: 'conntrack-tools', zypper: 'conntrack-tools' }

/** @type {Record<string, Record<string, Requirement>>} */
export const requirements = {
  build: {
    'c++': program('c++', { apt: 'g++', dnf: 'gcc-c++', apk: 'g++', pacman: 'gcc', zypper: 'gcc-c++' }),
    make: program('make', 'make'),
    python3: program('python3', { apt: 'python3', dnf: 'python3', apk: 'python3', pacman: 'python', zypper: 'python3' }),
    'libmnl/libmnl.h': {
      probe: () => ['/usr/include', '/usr/local/include'].some((folder) => existsSync(join(folder, 'libmnl/libmnl.h'))),
      packages: { apt: 'libmnl-dev', dnf: 'libmnl-devel', apk: 'libmnl-dev', pacman: 'libmnl', zypper: 'libmnl-devel' },
    },
  },
  sandbox: {
    unshare: program('unshare', 'util-linux'),
    nsenter: program('nsenter', 'util-linux'),
    flock: program('flock', 'util-linux'),
    mount: program('mount', { apt: 'mount', dnf: 'util-linux', apk: 'util-linux', pacman: 'util-linux', zypper: 'util-linux' }),
  },
  // What the tests read the kernel with, besides the library itself.
  witnesses: {
    ip: program('ip', { apt: 'iproute2', dnf: 'iproute', apk: 'iproute2', pacman: 'iproute2', zypper: 'iproute2' }),
    bridge: program('bridge', { apt: 'iproute2', dnf: 'iproute', apk: 'iproute2', pacman: 'iproute2', zypper: 'iproute2' }),
    nft: program('nft', 'nftables'),
    ping: program('ping', { apt: 'iputils-ping', dnf: 'iputils', apk: 'iputils-ping', pacman: 'iputils', zypper: 'iputils' }),
    curl: program('curl', 'curl'),
    conntrack: program('conntrack', { apt: 'conntrack', ...conntrackTools }),
    strace: program('strace', 'strace'),
    dig: program('dig', { apt: 'bind9-dnsutils', dnf: 'bind-utils', apk: 'bind-tools', pacman: 'bind', zypper: 'bind-utils' }),
    busybox: program('busybox', { apt: 'busybox-static', dnf: 'busybox', apk: 'busybox', pacman: 'busybox', zypper: 'busybox' }),
  },
  cmake: { cmake: program('cmake', 'cmake') },
  'clang-format': {
    'clang-format-19': program('clang-format-19', {
      apt: 'clang-format-19',
      dnf: 'clang-tools-extra',
      apk: 'clang19-extra-tools',
      pacman: 'clang',
      zypper: 'clang-tools',
    }),
  },
  'clang-tidy': {
    'clang-tidy-19': program('clang-tidy-19', {
      apt: 'clang-tidy-19',
      dnf: 'clang-tools-extra',
      apk: 'clang19-extra-tools',
      pacman: 'clang',
      zypper: 'clang-tools',
    }),
  },
}

/** @returns {Installer | undefined} the package manager of this distribution, by the names that it gives itself */
export function installer() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const names = [...release.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap((match) => match[1]?.split(' ') ?? [])
  const known = /** @type {Installer[]} */ (Object.keys(installers))
  return known.find((name) => installers[name].ids.some((id) => names.some((own) => own === id || own.startsWith(`${id}-`))))
}
