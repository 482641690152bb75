// What a list of commands has become so far: the messages, and the sets that rules may speak of.

import { invalidValue } from '../../invalid.ts'
import type { KeyType } from '../datatype/concatenation.ts'
import type { KernelMessage } from '../message.ts'
import type { Family } from '../schema.ts'

/** What has to be known of a set to look something up in it, or to put something in. */
export interface SetShape {
  readonly key: KeyType
  /** Absent in a set, present in a map. */
  readonly data?: KeyType | 'verdict'
  readonly interval: boolean
}

/** Where in the commands a message comes from. */
export interface MessagePlace {
  /** `commands[2].add.rule` */
  readonly path: string
  /** Index of the command. */
  readonly command: number
  /** Of its expressions or elements. */
  readonly parts: readonly string[]
}

export class Transaction {
  readonly messages: KernelMessage[] = []
  /** As many as there are messages. */
  readonly places: MessagePlace[] = []
  /** Sets that were spoken of and are not known. */
  readonly unknown: SetPlace[] = []
  #command = 0
  #sets: Map<string, SetShape>
  #lastSetId = 0

  /** `known`: sets that are in the kernel already, as `declarations` of an earlier transaction gives them. */
  constructor(known: ReadonlyMap<string, SetShape> = new Map()) {
    this.#sets = new Map(known)
  }

  get declarations(): ReadonlyMap<string, SetShape> {
    return this.#sets
  }

  /** NFTA_SET_ID: by it later messages of the batch find a set that has no name or no handle yet. */
  nextSetId(): number {
    return ++this.#lastSetId
  }

  begin(command: number): void {
    this.#command = command
  }

  send(message: KernelMessage, path: string, parts: readonly string[] = []): void {
    this.messages.push(message)
    this.places.push({ path, command: this.#command, parts })
  }

  declare(family: Family, table: string, name: string, shape: SetShape): void {
    this.#sets.set(setKey(family, table, name), shape)
  }

  find(family: Family, table: string, name: string): SetShape | undefined {
    const shape = this.#sets.get(setKey(family, table, name))
    if (shape === undefined) this.unknown.push({ family, table, name })
    return shape
  }

  shapeOf(family: Family, table: string, name: string, path: string): SetShape {
    const shape = this.find(family, table, name)
    if (shape === undefined) {
      throw invalidValue(
        path,
        `needs the types of set '${name}' of table ${family} ${table}: declare it in the same commands`,
        name,
      )
    }
    return shape
  }
}

export interface SetPlace {
  readonly family: Family
  readonly table: string
  readonly name: string
}

/** The key of a set in the map of those that are known. */
export const setKey = (family: Family, table: string, name: string): string => `${family} ${table} ${name}`
