// Packets that nobody should send: proper ones with bytes changed, cut, doubled and made to lie, from a seed.

import * as codec from 'dns-packet'

/** Numbers from 0 up to, not including, `below`: xorshift, so that a seed gives the same again. */
export type Random = (below: number) => number

export function randomFrom(seed: number): Random {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const names = ['web', 'db.lab.test', 'nobody.lab.test', '2.0.9.10.in-addr.arpa', 'a.'.repeat(100), '', 'both', 'x'.repeat(63)]
const types: codec.RecordType[] = ['A', 'AAAA', 'PTR', 'TXT', 'SOA', 'ANY' as codec.RecordType]

function proper(random: Random): Buffer {
  const options = Array.from({ length: random(3) }, () => ({ code: random(20), data: Buffer.alloc(random(40), random(256)) }))
  const opt = {
    ...{ type: 'OPT', name: '.', udpPayloadSize: random(65_536), extendedRcode: 0, ednsVersion: random(8) === 0 ? 1 : 0 },
    ...{ flags: random(65_536), flag_do: false, options },
  } as unknown as codec.OptAnswer
  return codec.encode({
    type: random(16) === 0 ? 'response' : 'query',
    id: random(65_536),
    flags: random(4) === 0 ? random(32_768) : codec.RECURSION_DESIRED,
    questions: [{ name: names[random(names.length)] ?? '', type: types[random(types.length)] ?? 'A' }],
    ...(random(2) === 0 ? {} : { additionals: [opt] }),
  })
}

export function noise(random: Random): Buffer {
  const message = proper(random)
  switch (random(6)) {
    case 0:
      return message
    case 1:
      return message.subarray(0, random(message.length + 1))
    case 2:
      return Buffer.from(Array.from({ length: random(600) }, () => random(256)))
    case 3:
      return Buffer.concat([message, message.subarray(random(message.length))])
    case 4: {
      // Counts of records that are not there.
      message.writeUInt16BE(random(65_536), 4 + 2 * random(4))
      return message
    }
    default: {
      for (let left = 1 + random(6); left > 0; left--) message[random(message.length)] = random(256)
      return message
    }
  }
}
