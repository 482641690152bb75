// A fresh host for each cell, and a container's namespace beside it.

import { readdir } from 'node:fs/promises'
import { type Netns, openNetns } from '../../../lib/index.ts'
import { output, run } from '../../support/command.ts'
import { differences, type Facts, factsOf } from './facts.ts'

let count = 0

export class World implements AsyncDisposable {
  /** The namespace that plays the host. */
  readonly ns: Netns
  /** Another one. */
  readonly box: Netns
  readonly name: string
  readonly boxName: string
  readonly #kept: AsyncDisposable[] = []
  #before: Facts | undefined

  private constructor(name: string, boxName: string, ns: Netns, box: Netns) {
    this.name = name
    this.boxName = boxName
    this.ns = ns
    this.box = box
  }

  static async make(): Promise<World> {
    const [name, boxName] = [`h${++count}`, `b${count}`]
    await output('ip', ['-batch', '-'], { input: `netns add ${name}\nnetns add ${boxName}` })
    return new World(name, boxName, await openNetns(name), await openNetns(boxName))
  }

  /** Runs shell commands on the host; each must succeed. $HOST and $BOX are the names of the two, $NAME is free. */
  async shell(commands: string, netns = this.name): Promise<void> {
    await output('sh', ['-ec', commands], { netns, env: { HOST: this.name, BOX: this.boxName, NAME: this.free } })
  }

  /** The name of no namespace. */
  get free(): string {
    return `${this.name}free`
  }

  /** Released with the world: namespaces that would go with the garbage, and tell a warning. */
  keep<T extends AsyncDisposable>(one: T): T {
    this.#kept.push(one)
    return one
  }

  async #facts(): Promise<Facts> {
    const names = (await readdir('/run/netns')).map((name) => [`netns ${name.replace(this.free, '$NAME')}`, {}] as const)
    return new Map([...(await factsOf(this.name)), ...names])
  }

  /** Before the call. */
  async look(): Promise<void> {
    this.#before = await this.#facts()
  }

  /** What is different since then. */
  async changes(): Promise<string[]> {
    if (this.#before === undefined) throw new Error('nobody has looked before')
    return differences(this.#before, await this.#facts())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#kept.toReversed()) await one[Symbol.asyncDispose]()
    await this.ns.close()
    await this.box.close()
    await output('ip', ['-batch', '-'], { input: `netns delete ${this.name}\nnetns delete ${this.boxName}` })
    await run('ip', ['netns', 'delete', this.free])
  }
}
