// What the kernel's dumps say, in the order in which nft(8) lists it: table by table its chains, objects, sets, and the rules of each chain.

import type { Body } from '../../native.ts'
import type { Family, Listed } from '../schema.ts'
import { text } from './body.ts'
import { knownSet } from './known-set.ts'
import { decompileChain, decompileObject, decompileRuleObject, decompileSet, decompileTable, familyOf } from './object.ts'
import type { FindSet, FoundSet } from './reader.ts'

/** Dumps of one moment. */
export interface Dumps {
  readonly tables: readonly Body[]
  readonly chains: readonly Body[]
  readonly objects: readonly Body[]
  readonly sets: readonly { readonly set: Body; readonly elements: readonly Body[] }[]
  readonly rules: readonly Body[]
}

export function decompileRuleset({ tables, chains, objects, sets, rules }: Dumps): Listed[] {
  const found = sets.map(({ set, elements }): FoundSet => ({ set: knownSet(set), elements }))
  return tables.flatMap((table) => {
    const family = familyOf(table)
    if (family === undefined) return []
    const isHere = (body: Body): boolean => body['family'] === table['family'] && body['table'] === table['name']
    const here = found.filter(({ set }) => isHere(set.body))
    const byName = new Map(here.map((one) => [one.set.name, one]))
    const own = chains.filter(isHere)
    return [
      { table: decompileTable(family, table) },
      ...own.map((chain) => ({ chain: decompileChain(family, chain) })),
      ...objects.filter(isHere).map((object) => decompileObject(family, object)),
      ...here.filter(({ set }) => !set.isAnonymous).map((one) => listedSet(family, one)),
      ...inChains(own, rules.filter(isHere), family, (name) => byName.get(name)),
    ]
  })
}

function listedSet(family: Family, { set, elements }: FoundSet): Listed {
  const value = decompileSet(family, set, elements)
  return 'map' in value ? { map: value } : { set: value }
}

function inChains(chains: readonly Body[], rules: readonly Body[], family: Family, find: FindSet): Listed[] {
  return chains.flatMap((chain) =>
    rules
      .filter((rule) => rule['chain'] === text(chain['name']))
      .map((rule) => ({ rule: decompileRuleObject(family, rule, find) })),
  )
}
