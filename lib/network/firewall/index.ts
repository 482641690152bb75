// The firewall of all container networks of a host: a table of static rules, everything else elements; and one more where networks ask
// who sends.

export { TABLE_COMMENT, TABLE_NAME, TABLE_VERSION, type TableFamily } from './definition.ts'
export * from './network.ts'
export * from './port.ts'
export { noSenderSets, type Sender, senderElements, senderSets } from './senders.ts'
export * from './table.ts'
