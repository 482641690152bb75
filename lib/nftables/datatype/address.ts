// Addresses of the network and of the link.

import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { invalidType, invalidValue } from '../invalid.ts'
import type { DataType } from './datatype.ts'

export function parseIpv4(text: string): Uint8Array {
  const bytes = new Uint8Array(4)
  let byte = 0
  let index = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 46) {
      bytes[index++] = byte
      byte = 0
    } else byte = byte * 10 + code - 48
  }
  bytes[index] = byte
  return bytes
}

function parseIpv6(text: string): Uint8Array {
  const bytes = new Uint8Array(16)
  // The trailing four of ::ffff:192.0.2.1 as two groups of their own.
  const [head = '', tail] = text.replace(/[\d.]+$/, (dotted) => (dotted.includes('.') ? groups(dotted) : dotted)).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const write = (group: string, position: number): void => {
    const value = Number.parseInt(group, 16)
    bytes[position * 2] = value >> 8
    bytes[position * 2 + 1] = value & 255
  }
  before.forEach(write)
  after.forEach((group, index) => {
    write(group, 8 - after.length + index)
  })
  return bytes
}

function groups(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = parseIpv4(dotted)
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

export function formatIpv4(bytes: Uint8Array): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
}

function formatIpv6(bytes: Uint8Array): string {
  const text = Array.from({ length: 8 }, (_, group) => (((bytes[group * 2] ?? 0) << 8) | (bytes[group * 2 + 1] ?? 0)).toString(16))
  return new SocketAddress({ family: 'ipv6', address: text.join(':') }).address
}

export const ipv4Address: DataType = {
  name: 'ipv4_addr',
  id: 7,
  bytes: 4,
  order: 'big',
  parse(value, path) {
    if (typeof value !== 'string') throw invalidType(path, 'an IPv4 address', value)
    if (!isIPv4(value)) throw invalidValue(path, 'must be an IPv4 address', value)
    return parseIpv4(value)
  },
  format: formatIpv4,
}

export const ipv6Address: DataType = {
  name: 'ipv6_addr',
  id: 8,
  bytes: 16,
  order: 'big',
  parse(value, path) {
    if (typeof value !== 'string') throw invalidType(path, 'an IPv6 address', value)
    if (!isIPv6(value) || value.includes('%')) throw invalidValue(path, 'must be an IPv6 address without a zone', value)
    return parseIpv6(value)
  },
  format: formatIpv6,
}

export const etherAddress: DataType = {
  name: 'ether_addr',
  id: 9,
  bytes: 6,
  order: 'big',
  parse(value, path) {
    if (typeof value !== 'string') throw invalidType(path, 'a MAC address', value)
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)) throw invalidValue(path, 'must be a MAC address as 02:42:ac:11:00:02', value)
    return Uint8Array.from(value.split(':'), (pair) => Number.parseInt(pair, 16))
  },
  format: (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'),
}
