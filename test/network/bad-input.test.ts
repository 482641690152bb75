// What cannot be right is refused by name before the first message: each with its own text, as a TypeError or RangeError with Node's code.

import * as assert from 'uvu/assert'
import { type AttachSpec, createNetwork, type Endpoint, type Network, type NetworkSpec, openNetwork } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, run } from '../support/lab.ts'
import { nodeWithin } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { libraryUrl } from './support/library.ts'

type Code = 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' | 'ERR_OUT_OF_RANGE'
type Case = readonly [input: unknown, code: Code, text: string]

const networks: readonly Case[] = [
  [undefined, 'ERR_INVALID_ARG_TYPE', 'network must be an object'],
  ['lab', 'ERR_INVALID_ARG_TYPE', 'network must be an object'],
  [{}, 'ERR_INVALID_ARG_TYPE', 'name must be a string'],
  [{ name: 7 }, 'ERR_INVALID_ARG_TYPE', 'name must be a string, got 7'],
  [{ name: '' }, 'ERR_OUT_OF_RANGE', 'the length of name must be from 1 to 32, got 0'],
  [{ name: 'n'.repeat(33) }, 'ERR_OUT_OF_RANGE', 'the length of name must be from 1 to 32, got 33'],
  [
    { name: 'a/b' },
    'ERR_INVALID_ARG_VALUE',
    "name must start with a letter or digit and go on with letters, digits, '_', '.' or '-'",
  ],
  [{ name: '-a' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: '..' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: '../../proc' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a\n' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a\0' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a\u001b[2J' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a\u202eb' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'n', subnet: '10.0.0.0/24' }, 'ERR_INVALID_ARG_VALUE', "network: 'subnet' is unknown; did you mean 'subnets'?"],
  [{ name: 'n', intern: true }, 'ERR_INVALID_ARG_VALUE', "network: 'intern' is unknown; did you mean 'internal'?"],
  [{ name: 'n', resolver: [] }, 'ERR_INVALID_ARG_VALUE', "network: 'resolver' is unknown"],
  [{ name: 'n', driver: 'brigde' }, 'ERR_INVALID_ARG_VALUE', "driver: 'brigde' is unknown; did you mean 'bridge'?"],
  [{ name: 'n', driver: 1 }, 'ERR_INVALID_ARG_TYPE', 'driver must be one of bridge, ptp'],
  [{ name: 'n', subnets: '10.0.0.0/24' }, 'ERR_INVALID_ARG_TYPE', 'subnets must be an array'],
  [{ name: 'n', subnets: [] }, 'ERR_INVALID_ARG_VALUE', 'subnets must have an IPv4 subnet, an IPv6 subnet or both'],
  [{ name: 'n', subnets: [10] }, 'ERR_INVALID_ARG_TYPE', 'subnets[0] must be an address with its prefix'],
  [{ name: 'n', subnets: ['10.0.0.0'] }, 'ERR_INVALID_ARG_VALUE', "subnets[0] lacks its prefix length: write '10.0.0.0/24'"],
  [{ name: 'n', subnets: ['10.0.0.0/33'] }, 'ERR_OUT_OF_RANGE', 'the prefix length of subnets[0] must be from 0 to 32, got 33'],
  [{ name: 'n', subnets: ['10.0.0.0/31'] }, 'ERR_INVALID_ARG_VALUE', 'subnets[0] must have a prefix from /8 to /30'],
  [{ name: 'n', subnets: ['0.0.0.0/7'] }, 'ERR_INVALID_ARG_VALUE', 'subnets[0] must have a prefix from /8 to /30'],
  [
    { name: 'n', subnets: ['10.0.0.1/24'] },
    'ERR_INVALID_ARG_VALUE',
    "subnets[0] has bits behind its prefix: write '10.0.0.0/24'",
  ],
  [{ name: 'n', subnets: ['fd00::/127'] }, 'ERR_INVALID_ARG_VALUE', 'subnets[0] must have a prefix from /8 to /126'],
  [{ name: 'n', subnets: ['fd00::1/64'] }, 'ERR_INVALID_ARG_VALUE', "subnets[0] has bits behind its prefix: write 'fd00::/64'"],
  [
    { name: 'n', subnets: ['10.0.0.0/24', '10.1.0.0/24'] },
    'ERR_INVALID_ARG_VALUE',
    'subnets must have at most one entry of IPv4 and one of IPv6',
  ],
  [
    { name: 'n', subnets: ['10.0.0.0/16', 'fd00::/120'] },
    'ERR_INVALID_ARG_VALUE',
    'subnets must have an IPv6 subnet with as many addresses as the IPv4 subnet, or more',
  ],
  [{ name: 'n', subnets: ['10.0.0.0/24'], gateways: ['fd00::1'] }, 'ERR_INVALID_ARG_VALUE', 'gateways[0] lies in no subnet'],
  [{ name: 'n', subnets: ['fd00::/64'], gateways: ['fd00::'] }, 'ERR_INVALID_ARG_VALUE', 'gateways[0] must be a host address'],
  [{ name: 'n', ipv6: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'ipv6 must be a boolean, got "yes"'],
  [{ name: 'n', ipv4: false }, 'ERR_INVALID_ARG_VALUE', 'ipv4 must be on, or ipv6, got false'],
  [{ name: 'n', ipv4: false, subnets: ['10.0.0.0/24'] }, 'ERR_INVALID_ARG_VALUE', 'ipv4 is off, and subnets has an IPv4 subnet'],
  [{ name: 'n', ipv6: false, subnets: ['fd00::/64'] }, 'ERR_INVALID_ARG_VALUE', 'ipv6 is off, and subnets has an IPv6 subnet'],
  [{ name: 'n', ipv6: true, mtu: 1279 }, 'ERR_OUT_OF_RANGE', 'mtu of a network with IPv6 must be from 1280 to 65535, got 1279'],
  [{ name: 'n', addressPools: ['10.0.0.0/8'] }, 'ERR_INVALID_ARG_TYPE', 'addressPools[0] must be an object'],
  [
    { name: 'n', addressPools: [{ base: '10.0.0.0/16', size: 8 }] },
    'ERR_OUT_OF_RANGE',
    'addressPools[0].size must be from 16 to 30, got 8',
  ],
  [{ name: 'n', addressPools: [{ base: '10.0.0.0/16' }] }, 'ERR_INVALID_ARG_TYPE', 'addressPools[0].size must be an integer'],
  [{ name: 'n', reserved: ['10.0.0.0/28'] }, 'ERR_INVALID_ARG_VALUE', 'reserved needs subnets: it is a part of one'],
  [
    { name: 'n', subnets: ['10.0.0.0/24'], reserved: ['10.0.1.0/28'] },
    'ERR_INVALID_ARG_VALUE',
    'reserved[0] lies outside of 10.0.0.0/24',
  ],
  [
    { name: 'n', subnets: ['10.0.0.0/24'], reserved: Array.from({ length: 20 }, (_, at) => `10.0.0.${at * 4}/30`) },
    'ERR_OUT_OF_RANGE',
    "the options of the network 'n' take",
  ],
  [{ name: 'n', subnets: ['300.0.0.0/8'] }, 'ERR_INVALID_ARG_VALUE', 'subnets[0] must be an address such as'],
  [{ name: 'n', gateways: ['10.0.0.1'] }, 'ERR_INVALID_ARG_VALUE', 'gateways needs subnets: a gateway lies in one'],
  [
    { name: 'n', subnets: ['10.0.0.0/24'], gateways: ['10.0.1.1'] },
    'ERR_INVALID_ARG_VALUE',
    'gateways[0] must be a host address of 10.0.0.0/24',
  ],
  [
    { name: 'n', subnets: ['10.0.0.0/24'], gateways: ['10.0.0.0'] },
    'ERR_INVALID_ARG_VALUE',
    'gateways[0] must be a host address',
  ],
  [
    { name: 'n', subnets: ['10.0.0.0/24'], gateways: ['10.0.0.255'] },
    'ERR_INVALID_ARG_VALUE',
    'gateways[0] must be a host address',
  ],
  [
    { name: 'n', subnets: ['10.0.0.0/24'], gateways: ['10.0.0.1/24'] },
    'ERR_INVALID_ARG_VALUE',
    'gateways[0] must be an address such as',
  ],
  [
    { name: 'n', bridge: 'sixteen-letters-' },
    'ERR_OUT_OF_RANGE',
    "the length of bridge ('sixteen-letters-') must be from 1 to 15, got 16",
  ],
  [{ name: 'n', bridge: 'a/b' }, 'ERR_INVALID_ARG_VALUE', 'bridge must be an interface name'],
  [{ name: 'n', bridge: 'a b' }, 'ERR_INVALID_ARG_VALUE', 'bridge must be an interface name'],
  [{ name: 'n', mtu: '1500' }, 'ERR_INVALID_ARG_TYPE', 'mtu must be an integer, got "1500"'],
  [{ name: 'n', mtu: 67 }, 'ERR_OUT_OF_RANGE', 'mtu must be from 68 to 65535, got 67'],
  [{ name: 'n', mtu: 1e9 }, 'ERR_OUT_OF_RANGE', 'mtu must be from 68 to 65535'],
  [{ name: 'n', icc: 'no' }, 'ERR_INVALID_ARG_TYPE', 'icc must be a boolean, got "no"'],
  [{ name: 'n', internal: 1 }, 'ERR_INVALID_ARG_TYPE', 'internal must be a boolean, got 1'],
  [{ name: 'n', masquerade: { ip: '192.0.2.7' } }, 'ERR_INVALID_ARG_VALUE', "masquerade: 'ip' is unknown; did you mean 'ipv4'?"],
  [{ name: 'n', masquerade: { ipv4: '::1' } }, 'ERR_INVALID_ARG_VALUE', 'masquerade.ipv4 must be an IPv4 address'],
  [{ name: 'n', masquerade: { ipv6: '2001:db8::7' } }, 'ERR_INVALID_ARG_VALUE', 'masquerade.ipv6 needs an IPv6 subnet'],
  [{ name: 'n', masquerade: null }, 'ERR_INVALID_ARG_TYPE', 'masquerade must be a boolean, got null'],
  [{ name: 'n', internal: true, masquerade: true }, 'ERR_INVALID_ARG_VALUE', 'masquerade makes no sense for an internal network'],
  [{ name: 'n', gatewayMode: 'rooted' }, 'ERR_INVALID_ARG_VALUE', "gatewayMode: 'rooted' is unknown; did you mean 'routed'?"],
  [{ name: 'n', gatewayMode: true }, 'ERR_INVALID_ARG_TYPE', 'gatewayMode must be an object, got true'],
  [{ name: 'n', gatewayMode: { ipv4: 1 } }, 'ERR_INVALID_ARG_TYPE', 'gatewayMode.ipv4 must be one of nat, routed, got 1'],
  [{ name: 'n', gatewayMode: { ip: 'nat' } }, 'ERR_INVALID_ARG_VALUE', "gatewayMode: 'ip' is unknown; did you mean 'ipv4'?"],
  [{ name: 'n', gatewayMode: { ipv6: 'routed' } }, 'ERR_INVALID_ARG_VALUE', 'gatewayMode.ipv6 needs an IPv6 subnet'],
  [
    { name: 'n', internal: true, gatewayMode: 'routed' },
    'ERR_INVALID_ARG_VALUE',
    'gatewayMode makes no sense for an internal network',
  ],
  [
    { name: 'n', gatewayMode: 'routed', masquerade: true },
    'ERR_INVALID_ARG_VALUE',
    'masquerade makes no sense where the network is routed',
  ],
  [
    { name: 'n', ipv6: true, gatewayMode: { ipv6: 'routed' }, masquerade: { ipv6: '2001:db8::7' } },
    'ERR_INVALID_ARG_VALUE',
    'masquerade.ipv6 makes no sense where the network is routed',
  ],
  [{ name: 'n', antiSpoofing: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'antiSpoofing must be a boolean, got "yes"'],
  [
    { name: 'n', antispoofing: true },
    'ERR_INVALID_ARG_VALUE',
    "network: 'antispoofing' is unknown; did you mean 'antiSpoofing'?",
  ],
  [
    { name: 'n', driver: 'macvlan', parent: 'eth0', subnets: ['192.0.2.0/24'], antiSpoofing: true },
    'ERR_INVALID_ARG_VALUE',
    'antiSpoofing (driver macvlan) cannot be had: containers have no end on the host',
  ],
  [{ name: 'n', trusted: 'wg0' }, 'ERR_INVALID_ARG_TYPE', 'trusted must be an array, got "wg0"'],
  [{ name: 'n', trusted: ['a/b'] }, 'ERR_INVALID_ARG_VALUE', "trusted[0] must be an interface name: no '/'"],
  [{ name: 'n', trusted: ['wg0', 'wg0'] }, 'ERR_INVALID_ARG_VALUE', 'trusted names a device twice, got "wg0"'],
  [{ name: 'n', internal: true, trusted: ['wg0'] }, 'ERR_INVALID_ARG_VALUE', 'trusted makes no sense for an internal network'],
  [
    { name: 'n', trusted: Array.from({ length: 20 }, (_, at) => `wg-number-${100 + at}`) },
    'ERR_OUT_OF_RANGE',
    "the options of the network 'n' take",
  ],
  [{ name: 'n', host: 'host' }, 'ERR_INVALID_ARG_TYPE', 'host must be a Netns'],
]

const attaches: readonly Case[] = [
  [undefined, 'ERR_INVALID_ARG_TYPE', 'endpoint must be an object'],
  [{ name: 'a', adresses: [] }, 'ERR_INVALID_ARG_VALUE', "endpoint: 'adresses' is unknown; did you mean 'addresses'?"],
  [{ name: 'a', ports: ['80:80'] }, 'ERR_INVALID_ARG_VALUE', "endpoint: 'ports' is unknown"],
  [{ name: 'a'.repeat(65) }, 'ERR_OUT_OF_RANGE', 'the length of name must be from 1 to 64, got 65'],
  [{ name: 'a/b' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a b' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: '..' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: '../web' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a\n' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a\0' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a\u001b[2J' }, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'],
  [{ name: 'a', addresses: '10.9.0.9/24' }, 'ERR_INVALID_ARG_TYPE', 'addresses must be an array'],
  [{ name: 'a', addresses: [] }, 'ERR_INVALID_ARG_VALUE', 'addresses must have one address of a subnet, at most one of each'],
  [{ name: 'a', addresses: ['10.9.0.9'] }, 'ERR_INVALID_ARG_VALUE', "addresses[0] lacks its prefix length: write '10.9.0.9/24'"],
  [
    { name: 'a', addresses: ['10.8.0.9/24'] },
    'ERR_INVALID_ARG_VALUE',
    "addresses[0] lies outside of the network's subnet 10.9.0.0/24",
  ],
  [
    { name: 'a', addresses: ['10.9.0.9/16'] },
    'ERR_INVALID_ARG_VALUE',
    'addresses[0] must have the prefix of the subnet 10.9.0.0/24',
  ],
  [{ name: 'a', addresses: ['10.9.0.1/24'] }, 'ERR_INVALID_ARG_VALUE', "addresses[0] is the network's gateway"],
  [
    { name: 'a', addresses: ['10.9.0.0/24'] },
    'ERR_INVALID_ARG_VALUE',
    'addresses[0] is the first or the last address of 10.9.0.0/24',
  ],
  [
    { name: 'a', addresses: ['10.9.0.255/24'] },
    'ERR_INVALID_ARG_VALUE',
    'addresses[0] is the first or the last address of 10.9.0.0/24',
  ],
  [{ name: 'a', addresses: ['fd00::1/64'] }, 'ERR_INVALID_ARG_VALUE', "addresses[0] lies outside of the network's subnet"],
  [
    { name: 'a', ifname: 'sixteen-letters-' },
    'ERR_OUT_OF_RANGE',
    "the length of ifname ('sixteen-letters-') must be from 1 to 15, got 16",
  ],
  [{ name: 'a', ifname: 'eth/0' }, 'ERR_INVALID_ARG_VALUE', "ifname must be an interface name: no '/'"],
  [{ name: 'a', ifname: 'eth%d' }, 'ERR_INVALID_ARG_VALUE', 'ifname must be an interface name'],
  [{ name: 'a', mac: 'nonsense' }, 'ERR_INVALID_ARG_VALUE', 'mac must be a MAC address'],
  [{ name: 'a', mac: '01:00:00:00:00:01' }, 'ERR_INVALID_ARG_VALUE', 'mac must not be a multicast address'],
  [{ name: 'a', mac: '00:00:00:00:00:00' }, 'ERR_INVALID_ARG_VALUE', 'mac must not be all zeros'],
  [{ name: 'a', defaultRoute: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'defaultRoute must be a boolean'],
  [{ name: 'a', netns: 7 }, 'ERR_INVALID_ARG_TYPE', 'netns must be an object with one of the keys path, pid, fd'],
  [{ name: 'a', netns: 'a/b' }, 'ERR_INVALID_ARG_VALUE', "netns must be a file name, without '/'"],
  [{ name: 'a', netns: { pid: 0 } }, 'ERR_OUT_OF_RANGE', 'netns.pid must be from 1'],
  [{ name: 'a', netns: { path: '' } }, 'ERR_INVALID_ARG_TYPE', 'netns.path must be a path'],
  [{ name: 'a', netns: { name: 'x' } }, 'ERR_INVALID_ARG_VALUE', "netns: 'name' is unknown"],
]

const ports: readonly Case[] = [
  [80, 'ERR_INVALID_ARG_TYPE', 'publish[0] must be an object'],
  ['', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:][hostPort]:]containerPort[/protocol]'],
  [':', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:][hostPort]:]containerPort[/protocol]'],
  ['127.0.0.1:80', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:][hostPort]:]containerPort[/protocol]'],
  ['::80', 'ERR_INVALID_ARG_VALUE', 'the host address of publish[0] must be an address'],
  ['[::1]::80', 'ERR_INVALID_ARG_VALUE', 'publish[0] cannot be on ::1'],
  ['80?from=', 'ERR_INVALID_ARG_VALUE', 'publish[0]: from must have a network: else nobody could ask for the port'],
  ['80?to=10.0.0.0/8', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:]'],
  ['80?from=10.0.0.0/8?from=::/0', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:]'],
  ['80?from=10.0.0.0/33', 'ERR_OUT_OF_RANGE', 'the prefix length of publish[0]: from[0] must be from 0 to 32, got 33'],
  ['80?from=10.0.0.1/8', 'ERR_INVALID_ARG_VALUE', "publish[0]: from[0] has bits behind its prefix: write '10.0.0.0/8'"],
  [
    { containerPort: 80, from: '10.0.0.0/8' },
    'ERR_INVALID_ARG_TYPE',
    "publish[0].from must be an array such as ['192.0.2.0/24'], got",
  ],
  [{ containerPort: 80, from: [] }, 'ERR_INVALID_ARG_VALUE', 'publish[0].from must have a network'],
  [{ containerPort: 80, from: ['ten'] }, 'ERR_INVALID_ARG_VALUE', 'publish[0].from[0] must be an address'],
  [{ containerPort: 80, hostPort: [1] }, 'ERR_INVALID_ARG_TYPE', 'publish[0].hostPort must be a port number, or the first and'],
  [{ containerPort: 80, hostPort: [2, 1] }, 'ERR_INVALID_ARG_VALUE', 'publish[0].hostPort has a range that ends before'],
  [{ containerPort: 80, hostPort: [0, 1] }, 'ERR_OUT_OF_RANGE', 'publish[0].hostPort[0] must be from 1 to 65535, got 0'],
  ['0:80', 'ERR_OUT_OF_RANGE', 'publish[0]: port must be from 1 to 65535, got 0'],
  ['80:0', 'ERR_OUT_OF_RANGE', 'publish[0]: port must be from 1 to 65535, got 0'],
  ['70000:80', 'ERR_OUT_OF_RANGE', 'publish[0]: port must be from 1 to 65535, got 70000'],
  ['80:70000', 'ERR_OUT_OF_RANGE', 'publish[0]: port must be from 1 to 65535, got 70000'],
  ['http:80', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:][hostPort]:]containerPort[/protocol]'],
  ['80:-80', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:][hostPort]:]containerPort'],
  ['80 : 80', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:][hostPort]:]containerPort'],
  ['80:80/tcpp', 'ERR_INVALID_ARG_VALUE', "the protocol of publish[0]: 'tcpp' is unknown; did you mean 'tcp'?"],
  ['80:80/tcp/udp', 'ERR_INVALID_ARG_VALUE', 'publish[0] must be [[hostAddress:][hostPort]:]containerPort[/protocol]'],
  ['80-82:90-91', 'ERR_INVALID_ARG_VALUE', 'publish[0] has ranges of different lengths'],
  ['82-80:92-90', 'ERR_INVALID_ARG_VALUE', 'publish[0] has a range that ends before it starts'],
  ['65530-65536:1-7', 'ERR_OUT_OF_RANGE', 'publish[0]: port must be from 1 to 65535, got 65536'],
  ['host:80:80', 'ERR_INVALID_ARG_VALUE', "the host address of publish[0] must be an address such as '172.18.0.10'"],
  ['[::1]:80:80', 'ERR_INVALID_ARG_VALUE', 'publish[0] cannot be on ::1: IPv6 has no route_localnet'],
  ['[::ffff]80:80', 'ERR_INVALID_ARG_VALUE', 'the host address of publish[0] must be an address'],
  [{ hostPort: '80', containerPort: 80 }, 'ERR_INVALID_ARG_TYPE', 'publish[0].hostPort must be a port number, got "80"'],
  ['82-80:90', 'ERR_INVALID_ARG_VALUE', 'publish[0] has a range that ends before it starts'],
  [{ hostPort: 80 }, 'ERR_INVALID_ARG_TYPE', 'publish[0].containerPort must be a port number'],
  [{ hostPort: 80, containerPort: 0 }, 'ERR_OUT_OF_RANGE', 'publish[0].containerPort must be from 1 to 65535, got 0'],
  [{ hostPort: 80.5, containerPort: 80 }, 'ERR_INVALID_ARG_TYPE', 'publish[0].hostPort must be a port number'],
  [{ host: 80, containerPort: 80 }, 'ERR_INVALID_ARG_VALUE', "publish[0]: 'host' is unknown"],
  [
    { hostPort: 80, containerPort: 80, hostAddress: 7 },
    'ERR_INVALID_ARG_TYPE',
    'the host address of publish[0] must be an address',
  ],
]

/** Several at once, as users of several specs see them. */
const lists: readonly Case[] = [
  ['8080:80', 'ERR_INVALID_ARG_TYPE', "publish must be an array such as ['8080:80']"],
  [['8080:80', '8080:81'], 'ERR_INVALID_ARG_VALUE', 'publish publishes a port twice, got "8080/tcp"'],
  [['8080-8089:80-89', '8085:80'], 'ERR_INVALID_ARG_VALUE', 'publish publishes a port twice, got "8085/tcp"'],
  [['[::]:8080:80', '8080:81'], 'ERR_INVALID_ARG_VALUE', 'publish publishes a port twice, got "8080/tcp"'],
  [['0.0.0.0:8080:80', '8080:81'], 'ERR_INVALID_ARG_VALUE', 'publish publishes a port twice'],
  [['[2001:db8::1]:8080:80'], 'ERR_INVALID_ARG_VALUE', 'publish has an IPv6 host address, and the network no IPv6 subnet'],
  [['80?from=2001:db8::/32'], 'ERR_INVALID_ARG_VALUE', 'publish is for 2001:db8::/32 only, and published in IPv4: nobody could'],
  [['8080:80', '0:80'], 'ERR_OUT_OF_RANGE', 'publish[1]: port must be from 1 to 65535'],
]

async function refused(call: () => Promise<unknown>, [input, code, text]: Case): Promise<void> {
  const failure = await failureOf(call)
  const what = `${JSON.stringify(input)}: ${failure.message}`
  assert.is(failure.code, code, what)
  assert.instance(failure, code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError, what)
  assert.ok(failure.message.startsWith(text), what)
}

const test = suite('bad input for networks')
let lab: Network
let internal: Network
let web: Endpoint
let before: unknown

test.before(async () => {
  lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  internal = await createNetwork({ name: 'inner', subnets: ['10.8.0.0/24'], internal: true })
  web = await lab.attach({ name: 'web' })
})
test.before.each(async () => {
  before = await kernelState()
})
test.after.each(async () => {
  assert.equal(changes(before, await kernelState()), [])
})
test.after(async () => {
  await lab.delete({ force: true })
  await internal.delete({ force: true })
})

test('createNetwork names what is wrong with each option', async () => {
  for (const one of networks) await refused(() => createNetwork(one[0] as NetworkSpec), one)
})

test('openNetwork names what is wrong with its arguments', async () => {
  await refused(() => openNetwork('a/b'), ['a/b', 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'])
  await refused(
    () => openNetwork('lab', { hots: 1 } as never),
    ['hots', 'ERR_INVALID_ARG_VALUE', "options: 'hots' is unknown; did you mean 'host'?"],
  )
  await refused(() => openNetwork('lab', { host: 1 } as never), ['host', 'ERR_INVALID_ARG_TYPE', 'options.host must be a Netns'])
})

test('attach names what is wrong with each option', async () => {
  for (const one of attaches) await refused(() => lab.attach(one[0] as AttachSpec), one)
})

test('attach and publish name what is wrong with a port', async () => {
  for (const one of ports) {
    const [port, code, text] = one
    await refused(() => lab.attach({ name: 'a', publish: [port] as never }), one)
    await refused(() => web.publish([port] as never), [port, code, text.replace('publish[0]', 'ports[0]')])
    await refused(() => web.unpublish([port] as never), [port, code, text.replace('publish[0]', 'ports[0]')])
    if (!Array.isArray(port)) await refused(() => web.publish(port as never), [port, code, text.replace('publish[0]', 'port')])
  }
})

test('attach names what is wrong with several ports', async () => {
  for (const one of lists) await refused(() => lab.attach({ name: 'a', publish: one[0] } as never), one)
})

test('a network that is routed refuses ports of the host, and one of both kinds an IPv6 one', async () => {
  const routed = await createNetwork({ name: 'routed', subnets: ['10.7.0.0/24'], gatewayMode: 'routed' })
  const mixed = await createNetwork({ name: 'mixed', subnets: ['10.6.0.0/24', 'fd00:6::/64'], gatewayMode: { ipv6: 'routed' } })
  try {
    const cases: readonly (readonly [Network, string[], string])[] = [
      [routed, ['8080:80'], 'has another port on the host, and the network is routed'],
      [routed, ['80-81:80'], 'has another port on the host, and the network is routed'],
      [routed, ['192.0.2.1:80:80'], 'has a host address, and the network routes IPv4'],
      [routed, ['80', '80:80'], 'publishes a port twice, got "80/tcp"'],
      [mixed, ['[2001:db8::1]:80:80'], 'has a host address, and the network routes IPv6'],
      [mixed, ['8080:80', '8081:80'], 'publishes a port twice, got "8081/tcp"'],
    ]
    for (const [network, publish, text] of cases) {
      const one: Case = [publish, 'ERR_INVALID_ARG_VALUE', `publish ${text}`]
      await refused(() => network.attach({ name: 'a', publish }), one)
    }
    assert.equal(await mixed.endpoints(), [])
  } finally {
    await routed.delete()
    await mixed.delete()
  }
})

test('an internal network refuses ports and a default route', async () => {
  await refused(
    () => internal.attach({ name: 'a', publish: ['80:80'] }),
    [0, 'ERR_INVALID_ARG_VALUE', 'publish makes no sense in an internal network'],
  )
  await refused(
    () => internal.attach({ name: 'a', defaultRoute: true }),
    [0, 'ERR_INVALID_ARG_VALUE', 'defaultRoute makes no sense in an internal network'],
  )
})

test('the names of endpoints and the options of delete are checked', async () => {
  await refused(() => lab.endpoint('a/b'), [0, 'ERR_INVALID_ARG_VALUE', 'name must start with a letter or digit'])
  await refused(() => lab.detach(7 as never), [0, 'ERR_INVALID_ARG_TYPE', 'name must be a string, got 7'])
  await refused(
    () => lab.delete({ froce: true } as never),
    [0, 'ERR_INVALID_ARG_VALUE', "options: 'froce' is unknown; did you mean 'force'?"],
  )
  await refused(() => lab.delete({ force: 1 } as never), [0, 'ERR_INVALID_ARG_TYPE', 'options.force must be a boolean, got 1'])
})

const noStrace = (await run('strace', ['-V']).catch(() => undefined)) === undefined && 'strace is not installed'

test.skipIf(noStrace, 'no message is sent to the kernel for any of it', async () => {
  const inputs = JSON.stringify({
    networks: networks.map(([input]) => input ?? null),
    attaches: [...attaches.map(([input]) => input ?? null), ...ports.map(([port]) => ({ name: 'a', publish: [port] }))],
  })
  const program = `
    import { writeSync } from 'node:fs'
    import { createNetwork, openNetwork } from ${JSON.stringify(libraryUrl)}
    const { networks, attaches } = JSON.parse(process.argv[1])
    const lab = await openNetwork('lab')
    const refusals = []
    const note = (error) => refusals.push(error.code)
    writeSync(1, 'BEGIN\\n')
    for (const input of networks) await createNetwork(input).catch(note)
    for (const input of attaches) await lab.attach(input).catch(note)
    writeSync(1, 'END\\n')
    writeSync(1, String(refusals.length))`
  const args = ['-f', '-e', 'trace=socket,sendto,sendmsg,setns,unshare,write', '-s', '16']
  const node = nodeWithin(['env'], ['--import', 'tsx', '--input-type=module', '-e', program, inputs])
  const { code, stdout, stderr } = await run('strace', [...args, ...node], { limit: 60_000 })
  assert.is(code, 0, stderr)
  assert.is(stdout, `BEGIN\nEND\n${networks.length + attaches.length + ports.length}`)
  const lines = stderr.split('\n')
  const between = lines.slice(
    lines.findIndex((line) => line.includes('"BEGIN')),
    lines.findIndex((line) => line.includes('"END')),
  )
  assert.ok(between.length > 0)
  assert.equal(
    between.filter((line) => /socket\(AF_NETLINK|send(to|msg)\(|setns\(|unshare\(/.test(line)),
    [],
  )
  // It would have been seen.
  assert.ok(lines.some((line) => line.includes('socket(AF_NETLINK')))
})

test.run()
