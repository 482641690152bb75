// What comes of each verb with the driver macvlan.

import { changes, changesAndGives, gives, nothing, refuses, refusesAfter } from '../../cell.ts'
import type { Outcomes } from '../row.ts'

export const macvlan: Outcomes = {
  createNetwork: {
    'no network': changesAndGives({ name: 'lab', driver: 'macvlan' }, '+ link br-lab', '+ table inet netlink-ct/lab'),
    'the network': gives({ name: 'lab', driver: 'macvlan' }),
    'the network with another subnet': refuses(
      'NETWORK_DIFFERS',
      "there is a network 'lab' with subnets 10.8.0.0/24, not 10.9.0.0/24",
    ),
    'a device of its name': refuses('EEXIST', 'make the bridge br-lab'),
    'the ruleset flushed': gives({ name: 'lab', driver: 'macvlan' }),
    'the device deleted, its elements left': changesAndGives({ name: 'lab', driver: 'macvlan' }, '+ link br-lab'),
    'the device without its name': refuses(
      'SUBNET_CONFLICT',
      "10.9.0.0/24 overlaps 10.9.0.0/24 of the network 'lab', which is on p0, too",
    ),
    'the device without its alias': refuses(
      'NETWORK_DIFFERS',
      'the device br-lab is called netlink-ct/lab, but its alias, which says what the network is, was changed: ip link delete br-lab',
    ),
  },
  openNetwork: {
    'no network': refuses('NETWORK_NOT_FOUND', "the host has no network 'lab'"),
    'the network': gives({ name: 'lab', driver: 'macvlan' }),
    'a device of its name': refuses('NETWORK_NOT_FOUND', "the host has no network 'lab'"),
    'the ruleset flushed': gives({ name: 'lab', driver: 'macvlan' }),
    'the device deleted, its elements left': refuses('NETWORK_NOT_FOUND', "the host has no network 'lab'"),
    'the device without its name': refuses('NETWORK_NOT_FOUND', "the host has no network 'lab'"),
    'the device without its alias': refuses(
      'NETWORK_NOT_FOUND',
      'the device br-lab is called netlink-ct/lab, but its alias, which says what the network is, was changed',
    ),
  },
  listNetworks: {
    'no network': gives([]),
    'the network': gives([{ name: 'lab', driver: 'macvlan' }]),
    'a device of its name': gives([]),
    'the ruleset flushed': gives([{ name: 'lab', driver: 'macvlan' }]),
    'the device deleted, its elements left': gives([]),
    'the device without its name': gives([]),
    'the device without its alias': gives([]),
  },
  'Network.delete': {
    'it deleted already': nothing,
    'the network': changes('- link br-lab', '- table inet netlink-ct/lab'),
    'the network with an endpoint': refuses(
      'NETWORK_IN_USE',
      "the network 'lab' has 1 endpoint (web): detach them, or pass force",
    ),
    'the ruleset flushed': changes('- link br-lab'),
    'the device deleted, its elements left': changes('- table inet netlink-ct/lab'),
    'the device without its name': changes('- link br-lab', '- table inet netlink-ct/lab'),
    'the device without its alias': changes('- link br-lab', '- table inet netlink-ct/lab'),
    'an endpoint, and force': changes(
      '~ link p0 /promiscuity: 1 → 0',
      '- link br-lab',
      '- fdb p0 02:42:0a:09:00:02',
      '- table inet netlink-ct/lab',
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
  },
  check: {
    'no network': gives([]),
    'the network': gives([]),
    'a device of its name': gives([]),
    'the ruleset flushed': gives([
      { kind: 'table-missing', what: 'the table inet netlink-ct/lab, or a set of it', network: 'lab', repairable: true },
    ]),
    'the device deleted, its elements left': gives([
      {
        kind: 'network-lost',
        what: "the device of 'lab' is gone; its table of leases is left",
        network: 'lab',
        repairable: false,
      },
    ]),
    'the device without its name': gives([
      { kind: 'name-missing', what: "the name of the network's device br-lab", network: 'lab', repairable: true },
    ]),
    'the device without its alias': gives([
      { kind: 'alias-lost', what: "the device br-lab does not tell what network 'lab' is", network: 'lab', repairable: false },
    ]),
  },
  repair: {
    'no network': gives({ repaired: [], remaining: [] }),
    'the network': gives({ repaired: [], remaining: [] }),
    'a device of its name': gives({ repaired: [], remaining: [] }),
    'the ruleset flushed': changesAndGives(
      {
        repaired: [
          { kind: 'table-missing', what: 'the table inet netlink-ct/lab, or a set of it', network: 'lab', repairable: true },
        ],
        remaining: [],
      },
      '+ table inet netlink-ct/lab',
    ),
    'the device deleted, its elements left': gives({
      repaired: [],
      remaining: [
        {
          kind: 'network-lost',
          what: "the device of 'lab' is gone; its table of leases is left",
          network: 'lab',
          repairable: false,
        },
      ],
    }),
    'the device without its name': changesAndGives(
      {
        repaired: [{ kind: 'name-missing', what: "the name of the network's device br-lab", network: 'lab', repairable: true }],
        remaining: [],
      },
      '~ link br-lab /altnames: undefined → ["netlink-ct/lab"]',
    ),
    'the device without its alias': gives({
      repaired: [],
      remaining: [
        { kind: 'alias-lost', what: "the device br-lab does not tell what network 'lab' is", network: 'lab', repairable: false },
      ],
    }),
  },
  'Network.check': {
    'it deleted already': gives([]),
    'the network': gives([]),
    'another network without its device': gives([]),
    'the ruleset flushed': gives([
      { kind: 'table-missing', what: 'the table inet netlink-ct/lab, or a set of it', network: 'lab', repairable: true },
    ]),
    'the device deleted, its elements left': gives([
      {
        kind: 'network-lost',
        what: "the device of 'lab' is gone; its table of leases is left",
        network: 'lab',
        repairable: false,
      },
    ]),
    'the device without its name': gives([
      { kind: 'name-missing', what: "the name of the network's device br-lab", network: 'lab', repairable: true },
    ]),
    'the device without its alias': gives([
      { kind: 'alias-lost', what: "the device br-lab does not tell what network 'lab' is", network: 'lab', repairable: false },
    ]),
  },
  'Network.repair': {
    'it deleted already': gives({ repaired: [], remaining: [] }),
    'the network': gives({ repaired: [], remaining: [] }),
    'another network, whose device is down': gives({ repaired: [], remaining: [] }),
    'the ruleset flushed': changesAndGives(
      {
        repaired: [
          { kind: 'table-missing', what: 'the table inet netlink-ct/lab, or a set of it', network: 'lab', repairable: true },
        ],
        remaining: [],
      },
      '+ table inet netlink-ct/lab',
    ),
    'the device deleted, its elements left': gives({
      repaired: [],
      remaining: [
        {
          kind: 'network-lost',
          what: "the device of 'lab' is gone; its table of leases is left",
          network: 'lab',
          repairable: false,
        },
      ],
    }),
    'the device without its name': changesAndGives(
      {
        repaired: [{ kind: 'name-missing', what: "the name of the network's device br-lab", network: 'lab', repairable: true }],
        remaining: [],
      },
      '~ link br-lab /altnames: undefined → ["netlink-ct/lab"]',
    ),
    'the device without its alias': gives({
      repaired: [],
      remaining: [
        { kind: 'alias-lost', what: "the device br-lab does not tell what network 'lab' is", network: 'lab', repairable: false },
      ],
    }),
  },
  keepRepaired: {
    'no network': refuses('ABORT_ERR', 'The operation was aborted'),
    'the network': refuses('ABORT_ERR', 'The operation was aborted'),
    'a device of its name': refuses('ABORT_ERR', 'The operation was aborted'),
    'the ruleset flushed': changesAndGives(
      {
        repaired: [
          { kind: 'table-missing', what: 'the table inet netlink-ct/lab, or a set of it', network: 'lab', repairable: true },
        ],
        remaining: [],
      },
      '+ table inet netlink-ct/lab',
    ),
  },
  gc: {
    'no network': gives({ endpoints: [], elements: [], table: false, devices: [], connections: 0, settings: [] }),
    'the network with an endpoint': gives({
      endpoints: [],
      elements: [],
      table: false,
      devices: [],
      connections: 0,
      settings: [],
    }),
    'a device of its name': gives({ endpoints: [], elements: [], table: false, devices: [], connections: 0, settings: [] }),
    'the ruleset flushed': changesAndGives(
      { endpoints: [], elements: [], table: false, devices: [], connections: 0, settings: [] },
      '+ table inet netlink-ct/lab',
    ),
    'the device deleted, its elements left': changesAndGives(
      { endpoints: [], elements: [], table: false, devices: [], connections: 0, settings: [] },
      '- table inet netlink-ct/lab',
    ),
    'the device without its name': gives({
      endpoints: [],
      elements: [],
      table: false,
      devices: [],
      connections: 0,
      settings: [],
    }),
    'the device without its alias': gives({
      endpoints: [],
      elements: [],
      table: false,
      devices: [],
      connections: 0,
      settings: [],
    }),
    'the device deleted, a container left': changesAndGives(
      { endpoints: ['lab/web'], elements: [], table: false, devices: [], connections: 0, settings: [] },
      '~ link p0 /promiscuity: 1 → 0',
      '- fdb p0 02:42:0a:09:00:02',
      '- table inet netlink-ct/lab',
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
  },
  exposedPorts: {
    'no network': gives([]),
    'a published port': gives([]),
    'a network without ports': gives([]),
    'the ruleset flushed': gives([]),
  },
  'Network.exposed': {
    'it deleted already': gives([]),
    'a published port': gives([]),
    'a port of another network': gives([]),
    'the ruleset flushed': gives([]),
  },
  diagnose: {
    'no network': gives([]),
    'the network': gives([]),
    'a chain of somebody else that drops': gives([
      {
        code: 'FOREIGN_CHAIN',
        family: 'ip',
        table: 'f',
        message:
          'table ip f, chain c (hook forward, priority 0): its policy is drop, so containers get and send only what its own rules accept, whatever was published',
      },
    ]),
    'forwarding turned off': gives([]),
  },
  'Network.attach': {
    'no such endpoint': changesAndGives(
      { name: 'web', addresses: ['10.9.0.2/24'], ports: [] },
      '~ link p0 /promiscuity: 0 → 1',
      '+ fdb p0 02:42:0a:09:00:02',
      /^\+ element endpoints web /,
      '+ element addresses4 10.9.0.2',
      /^\+ element holders /,
    ),
    'the endpoint': refuses('EEXIST', 'claim the name netlink-ct/lab/web (NFTA_SET_ELEM_LIST_ELEMENTS[0])'),
    'an endpoint of this name without ports': refuses(
      'EEXIST',
      'claim the name netlink-ct/lab/web (NFTA_SET_ELEM_LIST_ELEMENTS[0])',
    ),
    'the ruleset flushed': refusesAfter(
      ['+ table inet netlink-ct/lab', /^\+ element endpoints web /, '+ element addresses4 10.9.0.2', /^\+ element holders /],
      'EEXIST',
      'claim the name netlink-ct/lab/web (NFTA_SET_ELEM_LIST_ELEMENTS[0])',
    ),
    'the device of the network deleted': refuses('EEXIST', 'claim the name netlink-ct/lab/web (NFTA_SET_ELEM_LIST_ELEMENTS[0])'),
    'the link deleted, its lease left': changesAndGives(
      { name: 'web', addresses: ['10.9.0.3/24'], ports: [] },
      '~ link p0 /promiscuity: 0 → 1',
      /^~ element endpoints web .*comment/,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
      '+ fdb p0 02:42:0a:09:00:03',
      '+ element addresses4 10.9.0.3',
      /^\+ element holders /,
    ),
  },
  'Network.attachMany': {
    neither: changesAndGives(
      [
        { name: 'db', addresses: ['10.9.0.2/24'], ports: [] },
        { name: 'web', addresses: ['10.9.0.3/24'], ports: [] },
      ],
      '~ link p0 /promiscuity: 0 → 1',
      '+ fdb p0 02:42:0a:09:00:02',
      '+ fdb p0 02:42:0a:09:00:03',
      /^\+ element endpoints db /,
      /^\+ element endpoints web /,
      '+ element addresses4 10.9.0.2',
      '+ element addresses4 10.9.0.3',
      /^\+ element holders /,
    ),
    both: refuses('EEXIST', 'claim the name netlink-ct/lab/db (NFTA_SET_ELEM_LIST_ELEMENTS[0])'),
    'one of this name in another network': changesAndGives(
      [
        { name: 'db', addresses: ['10.9.0.2/24'], ports: [] },
        { name: 'web', addresses: ['10.9.0.3/24'], ports: [] },
      ],
      /^~ element endpoints web .*comment/,
      '+ fdb p0 02:42:0a:09:00:02',
      '+ fdb p0 02:42:0a:09:00:03',
      /^\+ element endpoints db /,
      '+ element addresses4 10.9.0.2',
      '+ element addresses4 10.9.0.3',
      /^\+ element holders /,
      /^\+ element endpoints web /,
    ),
    'one of them': refuses('EEXIST', 'claim the name netlink-ct/lab/web (NFTA_SET_ELEM_LIST_ELEMENTS[0])'),
  },
  'Network.endpoint': {
    'no such endpoint': refuses('ENDPOINT_NOT_FOUND', "the network 'lab' has no endpoint 'web'"),
    'the endpoint': gives({ name: 'web', addresses: ['10.9.0.2/24'], ports: [] }),
    'one of this name in another network': refuses('ENDPOINT_NOT_FOUND', "the network 'lab' has no endpoint 'web'"),
    'the ruleset flushed': changesAndGives(
      { name: 'web', addresses: ['10.9.0.2/24'], ports: [] },
      '+ table inet netlink-ct/lab',
      /^\+ element endpoints web /,
      '+ element addresses4 10.9.0.2',
      /^\+ element holders /,
    ),
    'the device of the network deleted': gives({ name: 'web', addresses: ['10.9.0.2/24'], ports: [] }),
    'the link deleted, its lease left': refuses('ENDPOINT_NOT_FOUND', "the network 'lab' has no endpoint 'web'"),
  },
  'Network.endpoints': {
    'no endpoint': gives([]),
    'the endpoint': gives([{ name: 'web', addresses: ['10.9.0.2/24'], ports: [] }]),
    'one of another network': gives([]),
    'the ruleset flushed': changesAndGives(
      [{ name: 'web', addresses: ['10.9.0.2/24'], ports: [] }],
      '+ table inet netlink-ct/lab',
      /^\+ element endpoints web /,
      '+ element addresses4 10.9.0.2',
      /^\+ element holders /,
    ),
    'the device of the network deleted': gives([{ name: 'web', addresses: ['10.9.0.2/24'], ports: [] }]),
    'the link deleted, its lease left': gives([]),
  },
  'Network.detach': {
    'no such endpoint': nothing,
    'the endpoint': changes(
      '~ link p0 /promiscuity: 1 → 0',
      '- fdb p0 02:42:0a:09:00:02',
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
    'one of this name in another network': nothing,
    'the ruleset flushed': changes('~ link p0 /promiscuity: 1 → 0', '- fdb p0 02:42:0a:09:00:02', '+ table inet netlink-ct/lab'),
    'the device of the network deleted': changes(
      '~ link p0 /promiscuity: 1 → 0',
      '- fdb p0 02:42:0a:09:00:02',
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
    'the link deleted, its lease left': changes(
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
  },
  'Network.detachMany': {
    neither: nothing,
    both: changes(
      '~ link p0 /promiscuity: 1 → 0',
      '- fdb p0 02:42:0a:09:00:02',
      '- fdb p0 02:42:0a:09:00:03',
      /^- element endpoints db /,
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      '- element addresses4 10.9.0.3',
      /^- element holders /,
    ),
    'one of this name in another network': nothing,
    'one of them': changes(
      '~ link p0 /promiscuity: 1 → 0',
      '- fdb p0 02:42:0a:09:00:02',
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
    'the ruleset flushed': changes('~ link p0 /promiscuity: 1 → 0', '- fdb p0 02:42:0a:09:00:02', '+ table inet netlink-ct/lab'),
    'the device of the network deleted': changes(
      '~ link p0 /promiscuity: 1 → 0',
      '- fdb p0 02:42:0a:09:00:02',
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
    'the link deleted, its lease left': changes(
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
  },
  'Network.watch': {
    'no endpoint': gives([]),
    'the endpoint': gives(['web']),
    'one of another network': gives([]),
    'the ruleset flushed': changesAndGives(
      ['web'],
      '+ table inet netlink-ct/lab',
      /^\+ element endpoints web /,
      '+ element addresses4 10.9.0.2',
      /^\+ element holders /,
    ),
    'the device of the network deleted': refuses('NETWORK_NOT_FOUND', "the host has no network 'lab' any more"),
    'the link deleted, its lease left': gives([]),
  },
  'Endpoint.detach': {
    'it detached already': nothing,
    'the endpoint': changes(
      '~ link p0 /promiscuity: 1 → 0',
      '- fdb p0 02:42:0a:09:00:02',
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
    'another one of its name since': nothing,
    'the ruleset flushed': changes('~ link p0 /promiscuity: 1 → 0', '- fdb p0 02:42:0a:09:00:02'),
    'the device of the network deleted': changes(
      '~ link p0 /promiscuity: 1 → 0',
      '- fdb p0 02:42:0a:09:00:02',
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
    'the link deleted, its lease left': changes(
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
  },
  'Endpoint.publish': {
    'no port': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'it detached already': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'the port': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'the ruleset flushed': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'the device of the network deleted': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'the link deleted, its lease left': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
  },
  'Endpoint.unpublish': {
    'no port': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'it detached already': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'the port': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'the ruleset flushed': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'the device of the network deleted': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
    'the link deleted, its lease left': refuses(
      'ERR_INVALID_ARG_TYPE',
      'ports must be none: with the driver macvlan the LAN reaches the container itself, got "8080:80"',
    ),
  },
  'LanNetwork.reclaim': {
    'no endpoint': gives([]),
    'the endpoint': gives([]),
    'one of another network': gives([]),
    'the ruleset flushed': changesAndGives(
      [],
      '+ table inet netlink-ct/lab',
      /^\+ element endpoints web /,
      '+ element addresses4 10.9.0.2',
      /^\+ element holders /,
    ),
    'the device of the network deleted': gives([]),
    'the link deleted, its lease left': changesAndGives(
      ['web'],
      /^- element endpoints web /,
      '- element addresses4 10.9.0.2',
      /^- element holders /,
    ),
  },
}
