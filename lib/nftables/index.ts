// Rules, sets and their elements in the words of libnftables-json(5), compiled to the kernel's messages.

export { type Compiled, compile } from './compile/compile.ts'
export type { SetShape } from './compile/transaction.ts'
export type { KernelMessage, KernelObject, KernelValue } from './message.ts'
export type * from './schema.ts'
export { readComment } from './userdata.ts'
