// netlink-ct: container networks for Node.js, spoken in netlink.

import type { Netns } from './netns/netns.ts'
import { host } from './netns/registry.ts'

export { NetlinkError, TornDumpError } from './errors.ts'
export { Netns, type NetnsRef } from './netns/netns.ts'
export { createNetns, deleteNetns, host, listNetns, type NetnsInfo, openNetns } from './netns/registry.ts'
export type { AttachSpec } from './network/attach-spec.ts'
export { createNetwork, openNetwork } from './network/create.ts'
export type { AttachedEndpoint, Endpoint } from './network/endpoint.ts'
export { NetworkError, type NetworkErrorCode } from './network/errors.ts'
export type { Network } from './network/network.ts'
export type { Port, PortSpec, Protocol } from './network/port.ts'
export type { NetworkSpec } from './network/spec.ts'
export type { AddressFilter, AddressInfo, AddressOptions, Scope } from './rtnetlink/address.ts'
export type { BridgeSpec } from './rtnetlink/bridge.ts'
export type { BridgeOptions, BridgePort } from './rtnetlink/bridge-options.ts'
export type { Link, LinkChanges, LinkFilter, LinkRef, OperState } from './rtnetlink/link.ts'
export type { Route, RouteFilter, RouteSpec, RouteTable, RouteType } from './rtnetlink/route.ts'
export type { VethEnd, VethSpec } from './rtnetlink/veth.ts'

// The verbs of `host`, so that `import { createVethPair } from 'netlink-ct'` works.
export const createBridge: Netns['createBridge'] = host.createBridge.bind(host)
export const createVethPair: Netns['createVethPair'] = host.createVethPair.bind(host)
export const getLink: Netns['getLink'] = host.getLink.bind(host)
export const listLinks: Netns['listLinks'] = host.listLinks.bind(host)
export const setLink: Netns['setLink'] = host.setLink.bind(host)
export const deleteLink: Netns['deleteLink'] = host.deleteLink.bind(host)
export const addAddress: Netns['addAddress'] = host.addAddress.bind(host)
export const deleteAddress: Netns['deleteAddress'] = host.deleteAddress.bind(host)
export const listAddresses: Netns['listAddresses'] = host.listAddresses.bind(host)
export const addRoute: Netns['addRoute'] = host.addRoute.bind(host)
export const replaceRoute: Netns['replaceRoute'] = host.replaceRoute.bind(host)
export const deleteRoute: Netns['deleteRoute'] = host.deleteRoute.bind(host)
export const listRoutes: Netns['listRoutes'] = host.listRoutes.bind(host)
export const getSysctl: Netns['getSysctl'] = host.getSysctl.bind(host)
export const setSysctl: Netns['setSysctl'] = host.setSysctl.bind(host)
