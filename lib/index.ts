// netlink-ct: container networks for Node.js, spoken in netlink.

import type { Netns } from './netns/netns.ts'
import { host } from './netns/registry.ts'

export type { Conntrack } from './conntrack/conntrack.ts'
export type { FlowFilter, TupleFilter } from './conntrack/filter.ts'
export type { Flow, FlowProtocol, FlowStatus, TcpState, Tuple } from './conntrack/flow.ts'
export { type Explanation, explain } from './diagnostics/explain.ts'
export type { Sent } from './diagnostics/record.ts'
export { type Stats, stats } from './diagnostics/stats.ts'
export type { RequestInfo } from './diagnostics/trace.ts'
export type { NetlinkWarning } from './diagnostics/warning.ts'
export { type ContainerFiles, type ContainerFilesSpec, containerFiles } from './dns/files.ts'
export type { DnsOptions, NetworkDns } from './dns/options.ts'
export { type DnsServer, type DnsStats, type ServeOptions, serveDns } from './dns/serve.ts'
export { NetlinkError, TornDumpError, WaitTimeoutError } from './errors.ts'
export { attachContainer } from './mode/attach-container.ts'
export type { Container, ContainerPlace, ContainerSpec } from './mode/container.ts'
export type { AttributePolicy } from './native.ts'
export { diffSnapshots, type SnapshotChange, type SnapshotElement } from './netns/diff.ts'
export type { NetnsSnapshot, Plain, SnapshotPart } from './netns/inspect.ts'
export { Netns, type NetnsRef } from './netns/netns.ts'
export { createNetns, deleteNetns, host, listNetns, type NetnsInfo, openNetns } from './netns/registry.ts'
export type { BindUdpOptions, ConnectOptions, ListenOptions } from './netns/sockets.ts'
export type { AttachedEndpoint, Endpoint } from './network/attach/endpoint.ts'
export type { AttachRoute, Sysctls } from './network/attach/inside.ts'
export type { AttachSpec } from './network/attach/spec.ts'
export { createNetwork, openNetwork } from './network/create/create.ts'
export type { AddressPool, ExistingBridge, NetworkSpec } from './network/create/spec.ts'
export { LanNetwork, type LanNetworkJson } from './network/driver/lan.ts'
export type { LanDeviceOptions } from './network/driver/lan-label.ts'
export type { IpvlanNetworkSpec, LanNetworkSpec, MacvlanNetworkSpec } from './network/driver/lan-spec.ts'
export { NetworkError, type NetworkErrorCode } from './network/errors.ts'
export { diagnose, type Finding } from './network/host/diagnose.ts'
export type { Driver, GatewayMode, GatewayModes, Labels, Masquerade } from './network/label.ts'
export { exposedPorts, type HostOptions, listNetworks } from './network/list.ts'
export type { Network, NetworkJson } from './network/network.ts'
export type { ExposedPort } from './network/port/exposed.ts'
export type { Port, PortSpec, PortWish, Protocol } from './network/port/port.ts'
export { check } from './network/state/check.ts'
export type { Finding as Damage, FindingKind as DamageKind } from './network/state/finding.ts'
export { type EndpointRef, type GcOptions, type GcReport, gc } from './network/state/gc.ts'
export { type KeepOptions, keepRepaired } from './network/state/keep.ts'
export { type RepairReport, repair } from './network/state/repair.ts'
export type { NetworkEvent, NetworkWatch, NetworkWatchOptions } from './network/state/watch.ts'
export type { Applied, ApplyOptions, ListedKind, Nftables, RulesetFilter } from './nftables/nftables.ts'
export type * as Nft from './nftables/schema.ts'
export { type KubernetesNetworkPolicy, type KubernetesOptions, policyFromKubernetes } from './policy/kubernetes.ts'
export type {
  AllowRule,
  CidrPeer,
  ContainersPeer,
  DenyRule,
  Direction,
  IsolateRule,
  LabelCondition,
  Peer,
  PeerSpec,
  Policy,
  PolicyPort,
  PolicyRule,
} from './policy/policy.ts'
export type { AllowSpec, DenySpec, IsolateSpec, PolicyRuleSpec, PolicySpec } from './policy/spec.ts'
export { allow, applyPolicy, deletePolicy, deny, isolate, listPolicies } from './policy/verbs.ts'
export type { AddressFilter, AddressFlag, AddressInfo, AddressOptions, Lifetime, Scope } from './rtnetlink/address.ts'
export type { Batch, BatchResult, ItemResult } from './rtnetlink/batch.ts'
export type { BridgeSpec } from './rtnetlink/bridge/create.ts'
export type { MdbEntry, MdbFilterMode, MdbFlag, MdbFlush, MdbKey, MdbSpec } from './rtnetlink/bridge/mdb.ts'
export type { NewBridgePort } from './rtnetlink/bridge/new-port.ts'
export type { BridgeInfo, BridgeOptions } from './rtnetlink/bridge/options.ts'
export type { BridgePort, BridgePortOptions } from './rtnetlink/bridge/port-options.ts'
export type { BridgeVlan, BridgeVlanOptions, BridgeVlanPlace, BridgeVlanSettings, VlanIds } from './rtnetlink/bridge/vlan.ts'
export type { CommonLinkSpec, LinkSpec } from './rtnetlink/link/create.ts'
export type { LinksToDelete } from './rtnetlink/link/delete-many.ts'
export type { DeviceSettings, SettingsRef } from './rtnetlink/link/device-settings.ts'
export type { Ipv4Settings, Ipv6Settings } from './rtnetlink/link/device-settings-table.ts'
export type { KindInfo, KindSpec } from './rtnetlink/link/kind/kinds.ts'
export type { Link, LinkChanges, LinkDetails, LinkFilter, LinkMode, LinkRef, OperState } from './rtnetlink/link/link.ts'
export type { LinkMove } from './rtnetlink/link/move.ts'
export type { AddressGeneration, LinkSettings } from './rtnetlink/link/settings.ts'
export type { LinkStatistics } from './rtnetlink/link/statistics.ts'
export type { Tun, TunSpec } from './rtnetlink/link/tun.ts'
export type { VethEnd, VethSpec } from './rtnetlink/link/veth.ts'
export type { FdbEntry, FdbFilter, FdbFlush, FdbSpec, FdbState } from './rtnetlink/neighbor/fdb.ts'
export type { Neighbor, NeighborFilter, NeighborFlag, NeighborSpec, NeighborState } from './rtnetlink/neighbor/neighbor.ts'
export type { NeighborParameters, NeighborTable, NeighborTableChanges } from './rtnetlink/neighbor/table.ts'
export type { LookupOptions } from './rtnetlink/route/lookup.ts'
export type { LockableMetric, RouteFeature, RouteMetrics } from './rtnetlink/route/metrics.ts'
export type { Nexthop, NexthopSpec } from './rtnetlink/route/nexthop.ts'
export type { Realm } from './rtnetlink/route/realm.ts'
export type { Route, RouteFilter } from './rtnetlink/route/route.ts'
export type { Range, Rule, RuleAction, RuleSpec } from './rtnetlink/route/rule.ts'
export type {
  CommonRouteSpec,
  OneWay,
  RouteHop,
  RouteProtocol,
  RouteSpec,
  RouteTable,
  RouteType,
  SeveralWays,
  SharedWay,
} from './rtnetlink/route/spec.ts'
export type { Bandwidth, BandwidthLimit, BandwidthSpec } from './rtnetlink/traffic/bandwidth.ts'
export type { ClassFilter, ClassSpec, HtbClass, TrafficClass } from './rtnetlink/traffic/class.ts'
export type { Action, ActionSpec, TrafficVerdict } from './rtnetlink/traffic/filter/action.ts'
export type { U32Header, U32Key, U32Match } from './rtnetlink/traffic/filter/u32.ts'
export type { Filter, FilterProtocol, FilterRef, FilterSpec } from './rtnetlink/traffic/filter.ts'
export type { Qdisc, QdiscFilter, QdiscSpec } from './rtnetlink/traffic/qdisc.ts'
export type { TrafficStatistics } from './rtnetlink/traffic/statistics.ts'
export type { Duration, Percentage, Rate, Size } from './rtnetlink/traffic/units.ts'
export type {
  AddressCondition,
  AddressKind,
  LinkCondition,
  NeighborCondition,
  WaitOptions,
} from './rtnetlink/wait-for.ts'
export type {
  AddressEvent,
  FdbEvent,
  LinkEvent,
  NeighborEvent,
  NetEvent,
  NexthopEvent,
  NsidEvent,
  OverrunEvent,
  RouteEvent,
  RuleEvent,
  SyncedEvent,
} from './rtnetlink/watch/event.ts'
export type { Watch, WatchOptions } from './rtnetlink/watch/watch.ts'

// The verbs of `host`, so that `import { createVethPair } from 'netlink-ct'` works.
export const conntrack: Netns['conntrack'] = host.conntrack
export const nftables: Netns['nftables'] = host.nftables
export const createBridge: Netns['createBridge'] = host.createBridge.bind(host)
export const createVethPair: Netns['createVethPair'] = host.createVethPair.bind(host)
export const getLink: Netns['getLink'] = host.getLink.bind(host)
export const listLinks: Netns['listLinks'] = host.listLinks.bind(host)
export const setLink: Netns['setLink'] = host.setLink.bind(host)
export const deleteLink: Netns['deleteLink'] = host.deleteLink.bind(host)
export const deleteLinks: Netns['deleteLinks'] = host.deleteLinks.bind(host)
export const addAddress: Netns['addAddress'] = host.addAddress.bind(host)
export const replaceAddress: Netns['replaceAddress'] = host.replaceAddress.bind(host)
export const deleteAddress: Netns['deleteAddress'] = host.deleteAddress.bind(host)
export const listAddresses: Netns['listAddresses'] = host.listAddresses.bind(host)
export const flushAddresses: Netns['flushAddresses'] = host.flushAddresses.bind(host)
export const addRoute: Netns['addRoute'] = host.addRoute.bind(host)
export const replaceRoute: Netns['replaceRoute'] = host.replaceRoute.bind(host)
export const deleteRoute: Netns['deleteRoute'] = host.deleteRoute.bind(host)
export const listRoutes: Netns['listRoutes'] = host.listRoutes.bind(host)
export const flushRoutes: Netns['flushRoutes'] = host.flushRoutes.bind(host)
export const getSysctl: Netns['getSysctl'] = host.getSysctl.bind(host)
export const setSysctl: Netns['setSysctl'] = host.setSysctl.bind(host)
export const getDeviceSettings: Netns['getDeviceSettings'] = host.getDeviceSettings.bind(host)
export const setDeviceSettings: Netns['setDeviceSettings'] = host.setDeviceSettings.bind(host)
export const createTun: Netns['createTun'] = host.createTun.bind(host)
export const openTun: Netns['openTun'] = host.openTun.bind(host)
export const attachTun: Netns['attachTun'] = host.attachTun.bind(host)
export const createLink: Netns['createLink'] = host.createLink.bind(host)
export const appendRoute: Netns['appendRoute'] = host.appendRoute.bind(host)
export const changeRoute: Netns['changeRoute'] = host.changeRoute.bind(host)
export const lookupRoute: Netns['lookupRoute'] = host.lookupRoute.bind(host)
export const addRule: Netns['addRule'] = host.addRule.bind(host)
export const deleteRule: Netns['deleteRule'] = host.deleteRule.bind(host)
export const listRules: Netns['listRules'] = host.listRules.bind(host)
export const addNeighbor: Netns['addNeighbor'] = host.addNeighbor.bind(host)
export const replaceNeighbor: Netns['replaceNeighbor'] = host.replaceNeighbor.bind(host)
export const deleteNeighbor: Netns['deleteNeighbor'] = host.deleteNeighbor.bind(host)
export const listNeighbors: Netns['listNeighbors'] = host.listNeighbors.bind(host)
export const flushNeighbors: Netns['flushNeighbors'] = host.flushNeighbors.bind(host)
export const listNeighborTables: Netns['listNeighborTables'] = host.listNeighborTables.bind(host)
export const setNeighborTable: Netns['setNeighborTable'] = host.setNeighborTable.bind(host)
export const addFdbEntry: Netns['addFdbEntry'] = host.addFdbEntry.bind(host)
export const replaceFdbEntry: Netns['replaceFdbEntry'] = host.replaceFdbEntry.bind(host)
export const appendFdbEntry: Netns['appendFdbEntry'] = host.appendFdbEntry.bind(host)
export const deleteFdbEntry: Netns['deleteFdbEntry'] = host.deleteFdbEntry.bind(host)
export const flushFdb: Netns['flushFdb'] = host.flushFdb.bind(host)
export const listFdb: Netns['listFdb'] = host.listFdb.bind(host)
export const setBridge: Netns['setBridge'] = host.setBridge.bind(host)
export const setBridgePort: Netns['setBridgePort'] = host.setBridgePort.bind(host)
export const addBridgeVlans: Netns['addBridgeVlans'] = host.addBridgeVlans.bind(host)
export const setBridgeVlans: Netns['setBridgeVlans'] = host.setBridgeVlans.bind(host)
export const deleteBridgeVlans: Netns['deleteBridgeVlans'] = host.deleteBridgeVlans.bind(host)
export const listBridgeVlans: Netns['listBridgeVlans'] = host.listBridgeVlans.bind(host)
export const addMdbEntry: Netns['addMdbEntry'] = host.addMdbEntry.bind(host)
export const replaceMdbEntry: Netns['replaceMdbEntry'] = host.replaceMdbEntry.bind(host)
export const deleteMdbEntry: Netns['deleteMdbEntry'] = host.deleteMdbEntry.bind(host)
export const flushMdb: Netns['flushMdb'] = host.flushMdb.bind(host)
export const listMdb: Netns['listMdb'] = host.listMdb.bind(host)
export const addNexthop: Netns['addNexthop'] = host.addNexthop.bind(host)
export const replaceNexthop: Netns['replaceNexthop'] = host.replaceNexthop.bind(host)
export const deleteNexthop: Netns['deleteNexthop'] = host.deleteNexthop.bind(host)
export const listNexthops: Netns['listNexthops'] = host.listNexthops.bind(host)
export const getNsid: Netns['getNsid'] = host.getNsid.bind(host)
export const setNsid: Netns['setNsid'] = host.setNsid.bind(host)
export const listNsids: Netns['listNsids'] = host.listNsids.bind(host)
export const batch: Netns['batch'] = host.batch.bind(host)
export const setBandwidth: Netns['setBandwidth'] = host.setBandwidth.bind(host)
export const getBandwidth: Netns['getBandwidth'] = host.getBandwidth.bind(host)
export const pruneBandwidth: Netns['pruneBandwidth'] = host.pruneBandwidth.bind(host)
export const addQdisc: Netns['addQdisc'] = host.addQdisc.bind(host)
export const replaceQdisc: Netns['replaceQdisc'] = host.replaceQdisc.bind(host)
export const deleteQdisc: Netns['deleteQdisc'] = host.deleteQdisc.bind(host)
export const listQdiscs: Netns['listQdiscs'] = host.listQdiscs.bind(host)
export const addClass: Netns['addClass'] = host.addClass.bind(host)
export const replaceClass: Netns['replaceClass'] = host.replaceClass.bind(host)
export const deleteClass: Netns['deleteClass'] = host.deleteClass.bind(host)
export const listClasses: Netns['listClasses'] = host.listClasses.bind(host)
export const addFilter: Netns['addFilter'] = host.addFilter.bind(host)
export const replaceFilter: Netns['replaceFilter'] = host.replaceFilter.bind(host)
export const deleteFilter: Netns['deleteFilter'] = host.deleteFilter.bind(host)
export const listFilters: Netns['listFilters'] = host.listFilters.bind(host)
export const inspect: Netns['inspect'] = host.inspect.bind(host)
export const watch: Netns['watch'] = host.watch.bind(host)
export const waitForLink: Netns['waitForLink'] = host.waitForLink.bind(host)
export const waitForAddress: Netns['waitForAddress'] = host.waitForAddress.bind(host)
export const waitForNeighbor: Netns['waitForNeighbor'] = host.waitForNeighbor.bind(host)
