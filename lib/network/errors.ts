// What a container network refuses for reasons of its own, where no kernel call failed.

import { NetlinkError } from '../errors.ts'

export type NetworkErrorCode =
  | 'NETWORK_NOT_FOUND'
  | 'NETWORK_DIFFERS'
  | 'NETWORK_IN_USE'
  | 'ENDPOINT_NOT_FOUND'
  | 'CONTAINER_NOT_FOUND'
  | 'CONTAINER_AMBIGUOUS'
  | 'SUBNET_FULL'
  | 'ADDRESS_IN_USE'
  | 'SUBNET_CONFLICT'
  | 'NO_FREE_SUBNET'
  | 'PORT_IN_USE'
  | 'BRIDGE_FULL'
  | 'BRIDGE_NOT_FOUND'
  | 'BRIDGE_IN_USE'
  | 'BRIDGE_UNFIT'
  | 'FORWARDING_OFF'
  | 'PROTOCOL_UNSUPPORTED'
  | 'TABLE_IN_USE'
  | 'PARENT_NOT_FOUND'
  | 'PARENT_IN_USE'
  | 'POLICY_EXISTS'
  | 'POLICY_UNSUPPORTED'
  | 'DNS_OFF'
  | 'DNS_SERVED'

export class NetworkError extends Error {
  override readonly name: string = 'NetworkError'
  readonly code: NetworkErrorCode

  constructor(code: NetworkErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options)
    this.code = code
  }
}

/** PORT_IN_USE, and which one: whoever chose it can choose another. */
export class PortInUseError extends NetworkError {
  /** `'8080/tcp'`, on whichever address of the host. */
  readonly port: string

  constructor(port: string, message: string, options?: ErrorOptions) {
    super('PORT_IN_USE', message, options)
    this.port = port
  }
}

/** For what is to be gone anyway. */
export function absentLink(error: unknown): void {
  if (!(error instanceof NetlinkError && error.code === 'ENODEV')) throw error
}
