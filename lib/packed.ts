// How values cross to the addon and back: all of them in one run of bytes. A call into the engine for each field costs more than the
// kernel does for the message. native/core/netlink/packed.h says the form.

import type { Field } from './native.ts'

const tags = { undefined: 0, no: 1, yes: 2, int32: 3, real: 4, bigint: 5, text: 6, bytes: 7, list: 8, object: 9 } as const
const spelledOut = 0xffff
/** Texts up to this length are read and written here, longer ones by the engine. */
const shortText = 24
/** Up to this length the engine copies what is cut out of a text; a longer cut would keep the whole text alive. */
const copiedText = 12
const nothing = new Uint8Array(0)
/** What is kept for the next time. */
const usualSize = 1 << 16
const largestBigint = (1n << 64n) - 1n

const encoder = new TextEncoder()

type Composite = Extract<Field, object> | null
const isList = (value: Extract<Field, object>): value is readonly Field[] => Array.isArray(value)

const refuse = (what: string): TypeError => new TypeError(`netlink-ct: ${what}`)

export class Packer {
  readonly #positions: ReadonlyMap<string, number>
  #bytes = new Uint8Array(usualSize)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  /** `names`: of the addon, whose positions stand for them. */
  constructor(names: readonly string[]) {
    this.#positions = new Map(names.map((name, position) => [name, position]))
  }

  /** Valid until the next call. */
  pack(value: unknown): Uint8Array {
    if (this.#bytes.length > usualSize) this.#resize(usualSize)
    this.#at = 0
    this.#value(value as Field)
    return this.#bytes.subarray(0, this.#at)
  }

  #resize(size: number): void {
    const old = this.#bytes
    this.#bytes = new Uint8Array(size)
    this.#bytes.set(old.subarray(0, Math.min(this.#at, size)))
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Room for as many bytes more. */
  #reserve(count: number): void {
    if (this.#at + count > this.#bytes.length) this.#resize(2 * (this.#at + count))
  }

  #tag(tag: number): void {
    this.#reserve(9)
    this.#bytes[this.#at++] = tag
  }

  #length(length: number): void {
    this.#view.setUint32(this.#at, length, true)
    this.#at += 4
  }

  #value(value: Field): void {
    switch (typeof value) {
      case 'undefined':
        this.#tag(tags.undefined)
        break
      case 'boolean':
        this.#tag(value ? tags.yes : tags.no)
        break
      case 'number':
        this.#number(value)
        break
      case 'bigint':
        this.#bigint(value)
        break
      case 'string':
        this.#tag(tags.text)
        this.#text(value)
        break
      case 'object':
        this.#composite(value)
        break
      default:
        throw refuse('a value that no message can carry')
    }
  }

  #composite(value: Composite): void {
    if (value === null) this.#tag(tags.undefined)
    else if (value instanceof Uint8Array) this.#raw(value)
    else if (isList(value)) this.#list(value)
    else this.#object(value)
  }

  #number(value: number): void {
    if ((value | 0) === value) {
      this.#tag(tags.int32)
      this.#view.setInt32(this.#at, value, true)
      this.#at += 4
    } else {
      if (!Number.isSafeInteger(value)) throw refuse('not a safe integer')
      this.#tag(tags.real)
      this.#view.setFloat64(this.#at, value, true)
      this.#at += 8
    }
  }

  #bigint(value: bigint): void {
    if (value < 0n || value > largestBigint) throw refuse('a bigint outside of 64 unsigned bits')
    this.#tag(tags.bigint)
    this.#view.setBigUint64(this.#at, value, true)
    this.#at += 8
  }

  #raw(value: Uint8Array): void {
    this.#tag(tags.bytes)
    this.#length(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  #list(value: readonly Field[]): void {
    this.#tag(tags.list)
    this.#length(value.length)
    for (const item of value) this.#value(item)
  }

  /** Without its undefined members: most of a body's, for it names all that it may have. */
  #object(value: { readonly [name: string]: Field }): void {
    this.#tag(tags.object)
    const place = this.#at
    this.#at += 4
    let count = 0
    for (const name in value) {
      const member = value[name]
      if (member === undefined) continue
      count++
      this.#name(name)
      this.#value(member)
    }
    this.#view.setUint32(place, count, true)
  }

  #name(name: string): void {
    this.#reserve(6)
    const position = this.#positions.get(name) ?? spelledOut
    this.#view.setUint16(this.#at, position, true)
    this.#at += 2
    if (position === spelledOut) this.#text(name)
  }

  #text(text: string): void {
    this.#reserve(4 + 3 * text.length)
    const start = this.#at + 4
    let at = start
    if (text.length <= shortText) {
      for (let position = 0; position < text.length; position++) {
        const code = text.charCodeAt(position)
        if (code > 127) break
        this.#bytes[at++] = code
      }
    }
    if (at - start < text.length) at = start + encoder.encodeInto(text, this.#bytes.subarray(start)).written
    this.#length(at - start)
    this.#at = at
  }
}

export class Unpacker {
  readonly #names: readonly string[]
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  /** All bytes as characters: short texts are cut out of them. */
  #characters = ''
  #at = 0

  constructor(names: readonly string[]) {
    this.#names = names
  }

  unpack(bytes: Uint8Array): unknown {
    this.#read(bytes)
    const value = this.#value()
    this.#read(nothing)
    return value
  }

  #read(bytes: Uint8Array): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#characters = this.#bytes.toString('latin1')
    this.#at = 0
  }

  #length(): number {
    const at = this.#at
    this.#at = at + 4
    return this.#view.getUint32(at, true)
  }

  #value(): Field {
    const at = this.#at + 1
    this.#at = at
    switch (this.#bytes[at - 1]) {
      case tags.undefined:
        return undefined
      case tags.no:
        return false
      case tags.yes:
        return true
      case tags.int32:
        this.#at = at + 4
        return this.#view.getInt32(at, true)
      case tags.real:
        this.#at = at + 8
        return this.#view.getFloat64(at, true)
      case tags.bigint:
        this.#at = at + 8
        return this.#view.getBigUint64(at, true)
      case tags.text:
        return this.#text()
      case tags.bytes: {
        const length = this.#length()
        this.#at += length
        // A copy of its own: the rest need not be kept for it.
        return new Uint8Array(this.#bytes.subarray(this.#at - length, this.#at))
      }
      case tags.list: {
        const items: Field[] = []
        for (let left = this.#length(); left > 0; left--) items.push(this.#value())
        return items
      }
      case tags.object: {
        const members: Record<string, Field> = {}
        for (let left = this.#length(); left > 0; left--) {
          const name = this.#name()
          members[name] = this.#value()
        }
        return members
      }
      default:
        throw refuse('bytes that are no value')
    }
  }

  #name(): string {
    const position = this.#view.getUint16(this.#at, true)
    this.#at += 2
    return this.#names[position] ?? this.#text()
  }

  #text(): string {
    const length = this.#length()
    const start = this.#at
    const end = start + length
    this.#at = end
    if (length > shortText) return this.#bytes.toString('utf8', start, end)
    for (let at = start; at < end; at++) if ((this.#bytes[at] as number) > 127) return this.#bytes.toString('utf8', start, end)
    if (length <= copiedText) return this.#characters.slice(start, end)
    const middle = start + copiedText
    return this.#characters.slice(start, middle) + this.#characters.slice(middle, end)
  }
}
