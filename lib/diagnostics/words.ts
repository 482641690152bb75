// Messages in words, for people: near to what ip(8), tc(8) and nft(8) would take, one line each.

import type { Body, Field, Message } from '../native.ts'

const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400
const NLM_F_APPEND = 0x800

const nouns: Readonly<Record<string, string>> = {
  ADDR: 'address',
  NEIGH: 'neighbor',
  TCLASS: 'class',
  TFILTER: 'filter',
  LINKPROP: 'link property',
  SETELEM: 'element',
}

/** Fields of fixed headers, which are there whether they say something or not. */
const silentZeros = new Set([
  'family',
  'flags',
  'change',
  'type',
  'tos',
  'scope',
  'protocol',
  'index',
  'state',
  'version',
  'resourceId',
])

function verb(action: string, flags: number): string {
  if (action === 'DEL') return 'delete'
  if (action === 'GET') return 'show'
  if (action === 'SET') return 'set'
  if ((flags & NLM_F_APPEND) !== 0) return 'append'
  if ((flags & NLM_F_REPLACE) !== 0) return (flags & NLM_F_CREATE) !== 0 ? 'replace' : 'change'
  if ((flags & (NLM_F_CREATE | NLM_F_EXCL)) !== 0) return 'add'
  return 'set'
}

function value(field: Field): string {
  if (field instanceof Uint8Array) return field.length === 0 ? '0x' : `0x${Buffer.from(field).toString('hex')}`
  if (Array.isArray(field)) return `[ ${field.map(value).join(' ')} ]`
  if (typeof field === 'object') return `{ ${bodyWords(field as Body)} }`
  if (typeof field === 'string') return /^[^\s"{}[\]]+$/.test(field) ? field : JSON.stringify(field)
  return String(field)
}

/** `index 3 name v0 mtu 1500 info { kind veth }`. */
export function bodyWords(body: Body): string {
  const words: string[] = []
  for (const [name, field] of Object.entries(body)) {
    if (field === undefined || (field === 0 && silentZeros.has(name))) continue
    words.push(field === true ? name : `${name} ${value(field)}`)
  }
  return words.join(' ')
}

/** `link add name v0 info { kind veth }`. */
export function messageWords({ type, flags, body }: Pick<Message, 'type' | 'flags' | 'body'>): string {
  const parts = /^(RTM|NFT_MSG|IPCTNL_MSG_CT)_(NEW|DEL|GET|SET)?(\w*)$/.exec(type)
  if (parts === null) return `${type} ${bodyWords(body)}`.trimEnd()
  const [, family, action = '', thing = ''] = parts
  const noun = family === 'IPCTNL_MSG_CT' ? 'flow' : (nouns[thing] ?? thing.toLowerCase())
  const words = family === 'RTM' ? `${noun} ${verb(action, flags)}` : `${verb(action, flags)} ${noun}`
  return `${words} ${bodyWords(body)}`.trimEnd()
}

/** As sysctl(8) takes it. `path`: below /proc/sys/net. */
export function settingWords(path: string, to?: string): string {
  const key = `net/${path}`.replaceAll(/[./]/g, (one) => (one === '/' ? '.' : '/'))
  return to === undefined ? `sysctl ${key}` : `sysctl ${key}=${to}`
}

/** As hexdump -C shows them, 16 in a line. */
export function bytesWords(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const part = Buffer.from(bytes.subarray(at, at + 16))
    const text = part.toString('latin1').replace(/[^\x20-\x7e]/g, '.')
    lines.push(
      `  ${at.toString(16).padStart(4, '0')}  ${part
        .toString('hex')
        .replace(/..(?=.)/g, '$& ')
        .padEnd(47)}  ${text}`,
    )
  }
  return lines.join('\n')
}
