// The firewall of all container networks of a host: one table, static rules, everything else elements.

export * from './network.ts'
export * from './port.ts'
export * from './table.ts'
