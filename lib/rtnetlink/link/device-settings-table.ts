// The settings that each device has for IPv4 and for IPv6: their names in sysctl(8), their places in the kernel's arrays, and what
// kind of value they are. See Documentation/networking/ip-sysctl.rst of the kernel.

import type { AddressGeneration } from './settings.ts'

interface SettingKind {
  flag: boolean
  number: number
  /** The kernel's array counts milliseconds, sysctl(8) and this library seconds. */
  seconds: number
  generation: AddressGeneration
}

/**
 * The file's name below /proc/sys/net/ipv4/conf/<device> or ipv6; the number of linux/ip.h or linux/ipv6.h; the kind; and what it is
 * written through. Netlink only stores the value: what the kernel does more when the file is written (flushing its routes, sending
 * router solicitations) needs the file. `none`: the kernel's own.
 */
export type Setting = readonly [sysctl: string, at: number, kind: keyof SettingKind, by: 'netlink' | 'file' | 'none']

/** `conf/<device>` of IPv4, by IPV4_DEVCONF_* of linux/ip.h. Written in this order. */
export const ipv4Settings = {
  forwarding: ['forwarding', 1, 'flag', 'file'],
  mcForwarding: ['mc_forwarding', 2, 'flag', 'none'],
  proxyArp: ['proxy_arp', 3, 'flag', 'netlink'],
  acceptRedirects: ['accept_redirects', 4, 'flag', 'netlink'],
  secureRedirects: ['secure_redirects', 5, 'flag', 'netlink'],
  sendRedirects: ['send_redirects', 6, 'flag', 'netlink'],
  sharedMedia: ['shared_media', 7, 'flag', 'netlink'],
  /** 0: off, 1: strict, 2: loose. The higher one of the device's and of `all` counts. */
  rpFilter: ['rp_filter', 8, 'number', 'netlink'],
  acceptSourceRoute: ['accept_source_route', 9, 'flag', 'netlink'],
  bootpRelay: ['bootp_relay', 10, 'flag', 'netlink'],
  logMartians: ['log_martians', 11, 'flag', 'netlink'],
  tag: ['tag', 12, 'number', 'netlink'],
  arpFilter: ['arp_filter', 13, 'flag', 'netlink'],
  mediumId: ['medium_id', 14, 'number', 'netlink'],
  disableXfrm: ['disable_xfrm', 15, 'flag', 'file'],
  disablePolicy: ['disable_policy', 16, 'flag', 'file'],
  forceIgmpVersion: ['force_igmp_version', 17, 'number', 'netlink'],
  /** 0 to 2: which of its addresses the device names as the sender's. */
  arpAnnounce: ['arp_announce', 18, 'number', 'netlink'],
  /** 0 to 8: which requests the device answers. */
  arpIgnore: ['arp_ignore', 19, 'number', 'netlink'],
  promoteSecondaries: ['promote_secondaries', 20, 'flag', 'file'],
  /** 0 to 2: make entries from announcements that nobody asked for. */
  arpAccept: ['arp_accept', 21, 'number', 'netlink'],
  arpNotify: ['arp_notify', 22, 'flag', 'netlink'],
  acceptLocal: ['accept_local', 23, 'flag', 'file'],
  srcValidMark: ['src_valid_mark', 24, 'flag', 'netlink'],
  proxyArpPvlan: ['proxy_arp_pvlan', 25, 'flag', 'netlink'],
  routeLocalnet: ['route_localnet', 26, 'flag', 'file'],
  /** Milliseconds. */
  igmpv2UnsolicitedReportInterval: ['igmpv2_unsolicited_report_interval', 27, 'number', 'netlink'],
  /** Milliseconds. */
  igmpv3UnsolicitedReportInterval: ['igmpv3_unsolicited_report_interval', 28, 'number', 'netlink'],
  ignoreRoutesWithLinkdown: ['ignore_routes_with_linkdown', 29, 'flag', 'netlink'],
  dropUnicastInL2Multicast: ['drop_unicast_in_l2_multicast', 30, 'flag', 'file'],
  dropGratuitousArp: ['drop_gratuitous_arp', 31, 'flag', 'netlink'],
  bcForwarding: ['bc_forwarding', 32, 'flag', 'file'],
  arpEvictNocarrier: ['arp_evict_nocarrier', 33, 'flag', 'netlink'],
} as const

/** `conf/<device>` of IPv6, by DEVCONF_* of linux/ipv6.h. Written in this order. */
export const ipv6Settings = {
  /** `disable_ipv6`. */
  disable: ['disable_ipv6', 26, 'flag', 'file'],
  forwarding: ['forwarding', 0, 'flag', 'file'],
  hopLimit: ['hop_limit', 1, 'number', 'file'],
  mtu: ['mtu', 2, 'number', 'file'],
  /** 0: no, 1: unless it forwards, 2: always. */
  acceptRa: ['accept_ra', 3, 'number', 'file'],
  acceptRedirects: ['accept_redirects', 4, 'flag', 'file'],
  autoconf: ['autoconf', 5, 'flag', 'file'],
  dadTransmits: ['dad_transmits', 6, 'number', 'file'],
  /** -1: without end. */
  routerSolicitations: ['router_solicitations', 7, 'number', 'file'],
  routerSolicitationInterval: ['router_solicitation_interval', 8, 'seconds', 'file'],
  routerSolicitationDelay: ['router_solicitation_delay', 9, 'seconds', 'file'],
  routerSolicitationMaxInterval: ['router_solicitation_max_interval', 43, 'seconds', 'file'],
  /** 0 or less: no temporary addresses, 1: made, 2: made and preferred. */
  useTempaddr: ['use_tempaddr', 10, 'number', 'file'],
  /** Seconds. */
  tempValidLft: ['temp_valid_lft', 11, 'number', 'file'],
  /** Seconds. */
  tempPreferedLft: ['temp_prefered_lft', 12, 'number', 'file'],
  regenMaxRetry: ['regen_max_retry', 13, 'number', 'file'],
  /** Seconds. */
  maxDesyncFactor: ['max_desync_factor', 14, 'number', 'file'],
  maxAddresses: ['max_addresses', 15, 'number', 'file'],
  forceMldVersion: ['force_mld_version', 16, 'number', 'file'],
  acceptRaDefrtr: ['accept_ra_defrtr', 17, 'flag', 'file'],
  raDefrtrMetric: ['ra_defrtr_metric', 52, 'number', 'file'],
  acceptRaPinfo: ['accept_ra_pinfo', 18, 'flag', 'file'],
  acceptRaRtrPref: ['accept_ra_rtr_pref', 19, 'flag', 'file'],
  routerProbeInterval: ['router_probe_interval', 20, 'seconds', 'file'],
  acceptRaRtInfoMinPlen: ['accept_ra_rt_info_min_plen', 49, 'number', 'file'],
  acceptRaRtInfoMaxPlen: ['accept_ra_rt_info_max_plen', 21, 'number', 'file'],
  acceptRaFromLocal: ['accept_ra_from_local', 33, 'flag', 'file'],
  acceptRaMtu: ['accept_ra_mtu', 35, 'flag', 'file'],
  acceptRaMinHopLimit: ['accept_ra_min_hop_limit', 38, 'number', 'file'],
  /** Seconds. */
  acceptRaMinLft: ['accept_ra_min_lft', 58, 'number', 'file'],
  proxyNdp: ['proxy_ndp', 22, 'flag', 'file'],
  optimisticDad: ['optimistic_dad', 23, 'flag', 'file'],
  useOptimistic: ['use_optimistic', 34, 'flag', 'file'],
  acceptSourceRoute: ['accept_source_route', 24, 'number', 'file'],
  mcForwarding: ['mc_forwarding', 25, 'flag', 'none'],
  /** 0: no detection of duplicate addresses, 1: with it, 2: and off when the link-local address is a duplicate. */
  acceptDad: ['accept_dad', 27, 'number', 'file'],
  enhancedDad: ['enhanced_dad', 46, 'flag', 'file'],
  forceTllao: ['force_tllao', 28, 'flag', 'file'],
  ndiscNotify: ['ndisc_notify', 29, 'flag', 'file'],
  ndiscTclass: ['ndisc_tclass', 50, 'number', 'file'],
  ndiscEvictNocarrier: ['ndisc_evict_nocarrier', 56, 'flag', 'file'],
  /** Milliseconds. */
  mldv1UnsolicitedReportInterval: ['mldv1_unsolicited_report_interval', 30, 'number', 'file'],
  /** Milliseconds. */
  mldv2UnsolicitedReportInterval: ['mldv2_unsolicited_report_interval', 31, 'number', 'file'],
  suppressFragNdisc: ['suppress_frag_ndisc', 32, 'flag', 'file'],
  useOifAddrsOnly: ['use_oif_addrs_only', 37, 'flag', 'file'],
  ignoreRoutesWithLinkdown: ['ignore_routes_with_linkdown', 39, 'flag', 'file'],
  dropUnicastInL2Multicast: ['drop_unicast_in_l2_multicast', 40, 'flag', 'file'],
  dropUnsolicitedNa: ['drop_unsolicited_na', 41, 'flag', 'file'],
  /** 0 to 2. */
  acceptUntrackedNa: ['accept_untracked_na', 57, 'number', 'file'],
  keepAddrOnDown: ['keep_addr_on_down', 42, 'number', 'file'],
  disablePolicy: ['disable_policy', 48, 'flag', 'file'],
  seg6Enabled: ['seg6_enabled', 44, 'number', 'file'],
  seg6RequireHmac: ['seg6_require_hmac', 45, 'number', 'file'],
  rplSegEnabled: ['rpl_seg_enabled', 51, 'flag', 'file'],
  ioam6Enabled: ['ioam6_enabled', 53, 'flag', 'file'],
  /** How the device makes addresses of its own. */
  addrGenMode: ['addr_gen_mode', 47, 'generation', 'netlink'],
} as const

export type Settings = Readonly<Record<string, Setting>>

/** The values of a table: those that the kernel has, or those to be changed. */
type Values<T extends Settings> = { readonly [N in keyof T]?: SettingKind[T[N][2]] }

export type Ipv4Settings = Values<typeof ipv4Settings>
export type Ipv6Settings = Values<typeof ipv6Settings>
