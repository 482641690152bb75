// Names that end up in the kernel or in a path, checked once, at the edge.

import { invalidType, invalidValue, outOfRange } from './invalid.ts'

/** IFNAMSIZ without the NUL. */
const longestInterface = 15

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidType(path, 'a string', value)
  return value
}

/** The name of a network device, by the kernel's own rule (dev_valid_name). */
export function interfaceName(value: unknown, path: string): string {
  const name = text(value, path)
  if (name === '' || name.length > longestInterface || Buffer.byteLength(name) > longestInterface) {
    throw outOfRange(`the length of ${path} ('${name}')`, 1, longestInterface, Buffer.byteLength(name))
  }
  if (name === '.' || name === '..' || /[/:\s\0%]/.test(name)) {
    throw invalidValue(path, "must be an interface name: no '/', ':', '%' or white space", name)
  }
  return name
}

/** A name for people: of a network, a container, a namespace. Safe in a path, an alias and an alternative name. */
export function objectName(value: unknown, path: string, longest = 64): string {
  const name = text(value, path)
  if (name.length < 1 || name.length > longest) throw outOfRange(`the length of ${path}`, 1, longest, name.length)
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) {
    throw invalidValue(path, "must start with a letter or digit and go on with letters, digits, '_', '.' or '-'", name)
  }
  return name
}

/** The name of a namespace under /run/netns: any file name, as `ip netns` allows, but no path. */
export function netnsName(value: unknown, path: string): string {
  const name = text(value, path)
  if (name === '' || Buffer.byteLength(name) > 255) throw outOfRange(`the length of ${path}`, 1, 255, Buffer.byteLength(name))
  if (name === '.' || name === '..' || /[/\0]/.test(name)) throw invalidValue(path, "must be a file name, without '/'", name)
  return name
}

/** Six bytes as hexadecimal pairs. */
export function macAddress(value: unknown, path: string): string {
  const mac = text(value, path)
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac))
    throw invalidValue(path, "must be a MAC address such as '02:42:ac:12:00:0a'", mac)
  const first = Number.parseInt(mac.slice(0, 2), 16)
  if ((first & 1) === 1) throw invalidValue(path, 'must not be a multicast address (its first byte is odd)', mac)
  if (/^[0:]+$/.test(mac)) throw invalidValue(path, 'must not be all zeros', mac)
  return mac.toLowerCase()
}

export const macBytes = (mac: string): Uint8Array => Uint8Array.from(mac.split(':'), (pair) => Number.parseInt(pair, 16))
export const formatMac = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
