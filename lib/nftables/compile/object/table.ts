// table inet netlink-ct { comment "…" }

import { fields, integer, name, words } from '../../../invalid.ts'
import type { KernelObject } from '../../message.ts'
import { commentUserdata } from '../../userdata.ts'
import { family } from './place.ts'

/** NFT_TABLE_F_DORMANT. */
const DORMANT = 1

export function tableBody(value: unknown, path: string): KernelObject {
  const given = fields(value, path, ['family', 'name', 'comment', 'handle', 'flags'])
  const comment = given['comment']
  return {
    family: family(given['family'], `${path}.family`).number,
    name: name(given['name'], `${path}.name`),
    flags: given['flags'] === undefined ? 0 : words(given['flags'], `${path}.flags`, ['dormant']).length && DORMANT,
    ...(comment !== undefined && { userdata: commentUserdata(comment, `${path}.comment`) }),
  }
}

/** By name; a handle says which of two that had the same name one after the other. */
export function tableReference(value: unknown, path: string): KernelObject {
  const given = fields(value, path, ['family', 'name', 'comment', 'handle', 'flags'])
  const place = { family: family(given['family'], `${path}.family`).number, name: name(given['name'], `${path}.name`) }
  return given['handle'] === undefined ? place : { ...place, handle: handle(given['handle'], `${path}.handle`) }
}

export function handle(value: unknown, path: string): bigint {
  return BigInt(integer(value, path, 1, Number.MAX_SAFE_INTEGER))
}
