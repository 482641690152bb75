// Messages on a TCP connection: each behind its length in two bytes (RFC 1035, section 4.2.2), however the bytes arrive.

export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(2 + message.length)
  framed.writeUInt16BE(message.length)
  message.copy(framed, 2)
  return framed
}

/** Puts messages together; no more than one that is incomplete is kept. */
export class Frames {
  readonly #longest: number
  #rest: Buffer = Buffer.alloc(0)

  constructor(longest = 65_535) {
    this.#longest = longest
  }

  /** Whether a message has begun that is not complete. */
  get pending(): boolean {
    return this.#rest.length > 0
  }

  /** The messages that are complete now; undefined when the next one is longer than is taken. */
  push(chunk: Buffer): Buffer[] | undefined {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: Buffer[] = []
    while (bytes.length >= 2) {
      const length = bytes.readUInt16BE()
      if (length > this.#longest) return undefined
      if (bytes.length < 2 + length) break
      messages.push(bytes.subarray(2, 2 + length))
      bytes = bytes.subarray(2 + length)
    }
    // A copy: a few bytes do not hold the whole chunk.
    this.#rest = Buffer.from(bytes)
    return messages
  }
}
