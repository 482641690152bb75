// Names of addresses: 10.9.0.2 is 2.0.9.10.in-addr.arpa (RFC 1035, section 3.5), an IPv6 address one label for each half byte (RFC 3596).

import { type Address, type Cidr, contains, type Family, familyBits, formatAddress } from '../cidr.ts'

const endings: readonly (readonly [Family, string])[] = [
  [2, '.in-addr.arpa'],
  [10, '.ip6.arpa'],
]

/** An address, or the front of several. */
export interface Reversed {
  readonly network: Cidr
  readonly isWhole: boolean
}

function bytesOf(family: Family, labels: readonly string[]): { bytes: Uint8Array; bits: number } | undefined {
  const [pattern, base, bits] = family === 2 ? [/^(0|[1-9]\d{0,2})$/, 10, 8] : [/^[0-9a-f]$/, 16, 4]
  const numbers = labels.toReversed().map((label) => (pattern.test(label) ? Number.parseInt(label, base) : -1))
  if (numbers.some((number) => number < 0 || number > 255) || numbers.length * bits > familyBits(family)) return undefined
  const bytes = new Uint8Array(familyBits(family) / 8)
  for (const [at, number] of numbers.entries()) {
    if (bits === 8) bytes[at] = number
    else bytes[at >> 1] = (bytes[at >> 1] ?? 0) | (at % 2 === 0 ? number << 4 : number)
  }
  return { bytes, bits: numbers.length * bits }
}

/** undefined for names that are no addresses'. */
export function parseReverse(name: string): Reversed | undefined {
  for (const [family, ending] of endings) {
    if (!name.endsWith(ending)) continue
    const read = bytesOf(family, name.slice(0, -ending.length).split('.'))
    if (read === undefined) return undefined
    const { bytes, bits } = read
    return { network: { family, bytes, text: formatAddress(bytes), prefixLength: bits }, isWhole: bits === familyBits(family) }
  }
  return undefined
}

/** Whether all addresses of that front are in the subnet. */
export const isWithin = (subnet: Cidr, network: Cidr): boolean =>
  network.prefixLength >= subnet.prefixLength && contains(subnet, network as Address)

/** The smallest zone that the name is in and that has no address outside of the subnet. */
export function reverseZone(name: string, { family, prefixLength }: Cidr): string {
  const labelBits = family === 2 ? 8 : 4
  const least = Math.ceil(prefixLength / labelBits)
  const labels = name.split('.')
  return labels.slice(Math.max(0, labels.length - 2 - least)).join('.')
}
