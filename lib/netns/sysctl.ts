// Keys of sysctl(8) below net, as paths.

import { invalidType, invalidValue } from '../invalid.ts'

/**
 * `net.ipv4.conf.br0.rp_filter` or `net/ipv4/conf/eth0.10/rp_filter`, as a path below /proc/sys/net. As in sysctl(8), the first
 * separator decides: with slashes, a dot is part of a name.
 */
export function sysctlPath(key: unknown, path = 'key'): string {
  if (typeof key !== 'string') throw invalidType(path, "a key such as 'net.ipv4.ip_forward'", key)
  const slashed = key.search(/[./]/) !== -1 && key[key.search(/[./]/)] === '/'
  const parts = slashed ? key.split('/') : key.split('.').map((part) => part.replaceAll('/', '.'))
  if (parts.shift() !== 'net' || parts.length === 0) {
    throw invalidValue(
      path,
      "must be a network setting such as 'net.ipv4.ip_forward': others belong to no network namespace",
      key,
    )
  }
  if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\0\s]/.test(part))) {
    throw invalidValue(path, 'has an empty or impossible part', key)
  }
  return parts.join('/')
}

export function sysctlValue(value: unknown, path = 'value'): string {
  if (typeof value === 'number' && Number.isInteger(value)) return String(value)
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value
  throw invalidType(path, 'an integer or a text that is not empty', value)
}
