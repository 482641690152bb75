// What may be wrong with the networks of a host.

export type FindingKind =
  | 'network-lost'
  | 'parent-missing'
  | 'alias-lost'
  | 'name-missing'
  | 'link-down'
  | 'group-different'
  | 'bridge-different'
  | 'port-different'
  | 'policy-lost'
  | 'policy-unfinished'
  | 'address-missing'
  | 'route-missing'
  | 'neighbor-missing'
  | 'sysctl-different'
  | 'table-missing'
  | 'table-foreign'
  | 'table-different'
  | 'chain-missing'
  | 'chain-different'
  | 'set-missing'
  | 'set-different'
  | 'element-missing'
  | 'element-different'
  | 'element-orphaned'

/**
 * One thing that somebody took away or changed.
 * - `network-lost`: the network's device is gone, and with it what the network was; its containers' host ends are left.
 * - `parent-missing`: the device that a network of macvlan or ipvlan stands on was renamed or is gone.
 * - `alias-lost`: a device is called ours, but no longer says what it is.
 * - `bridge-different`: a network's bridge has other options than it should: it does not show the firewall what it forwards, which policies
 *   need, or still does for policies that are gone.
 * - `port-different`: a host end is off its bridge, or has other options than it should.
 * - `policy-lost`: a network's device no longer says what a policy is: apply it again, or delete it.
 * - `policy-unfinished`: somebody changes policies, or was killed while at it: connections that a policy let through may go on.
 * - `element-orphaned`: the firewall has something of a network or a container that is not there, or that does not claim it.
 * - `table-foreign`: the host has a table of our name that this version of the library did not make.
 */
export interface Finding {
  readonly kind: FindingKind
  /** In words: `the chain forward`. */
  readonly what: string
  /** Absent for what all networks share. */
  readonly network?: string
  readonly endpoint?: string
  /**
   * Whether `repair` can mend it; else what is left has to be detached or deleted, and made again, or it is for the owner of an existing
   * bridge to mend.
   */
  readonly repairable: boolean
}

/** A finding, and how it is mended: by itself, or (absent) with the rest of the firewall. */
export interface Flaw {
  readonly finding: Finding
  /** Tells it from the same of a later container of the same name. */
  readonly instance?: string
  readonly mend?: () => Promise<unknown>
}

export const finding = (
  kind: FindingKind,
  what: string,
  where: { readonly network?: string; readonly endpoint?: string } = {},
  repairable = true,
): Finding => ({ kind, what, ...where, repairable })

export const keyOf = ({ kind, what, network, endpoint }: Finding): string => [kind, network, endpoint, what].join(' ')
