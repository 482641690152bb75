// What is handed to the native side: a message of an nf_tables batch, its body named as native/core/nftables/*.cc name the attributes.

export type KernelValue = number | bigint | string | boolean | Uint8Array | readonly KernelValue[] | KernelObject
export interface KernelObject {
  readonly [field: string]: KernelValue | undefined
}

export type MessageType = `NFT_MSG_${'NEW' | 'GET' | 'DEL' | 'DESTROY'}${'TABLE' | 'CHAIN' | 'RULE' | 'SET' | 'SETELEM' | 'OBJ'}`

export interface KernelMessage {
  readonly type: MessageType
  /** NLM_F_CREATE, NLM_F_EXCL, NLM_F_APPEND, NLM_F_REPLACE; the rest is the sender's. */
  readonly flags: number
  readonly body: KernelObject
}

// linux/netlink.h
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800

/** One of the expressions that a rule is made of in the kernel. */
export type KernelExpression = {
  readonly name: string
  readonly data: KernelObject
}

/** nfgen_family of a table (linux/netfilter.h). */
export const families = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const
