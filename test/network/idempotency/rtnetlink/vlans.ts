import { createNetns } from '../../../../lib/index.ts'
import { run } from '../../../support/lab.ts'
import { changes, gives, nothing, type Row, refuses, shellRows } from '../cell.ts'

async function refusal(): Promise<string | undefined> {
  await using ns = await createNetns()
  const { code, stderr } = await run('ip', ['link', 'add', 'br0', 'type', 'bridge', 'vlan_filtering', '1'], { netns: ns })
  return code === 0 ? undefined : `the kernel has no VLAN filtering (${stderr.trim()})`
}
const lacks = await refusal()

const row = shellRows(
  'ip link add br0 type bridge vlan_filtering 1; ip link add v0 type veth peer name v1; ip link set v0 master br0; ip link set v0 up',
  lacks,
)
const has = 'bridge vlan add dev v0 vid 7'
const outside = 'ip link set v0 nomaster'

export const rows: readonly Row<void>[] = [
  row('Netns.addBridgeVlans', ({ ns }) => ns.addBridgeVlans('v0', [7]), {
    absent: ['no such VLAN', '', changes('+ vlan v0 7')],
    equal: ['the VLAN', has, nothing],
    different: ['the VLAN, untagged', `${has} untagged`, changes(/^~ vlan v0 7 /)],
    half: ['no port of a bridge', outside, refuses('ENOTSUP', 'add VLANs of v0')],
  }),
  row('Netns.setBridgeVlans', ({ ns }) => ns.setBridgeVlans('v0', [7], { state: 'forwarding' }), {
    absent: ['no such VLAN', '', refuses('ENOENT', 'change VLANs of v0')],
    equal: ['the VLAN, in the state', has, nothing],
    different: 'a state stands in no listing of bridge(8) of this age: rtnetlink/bridge-vlan',
    half: ['no port of a bridge', outside, refuses('EINVAL', 'change VLANs of v0')],
  }),
  row('Netns.deleteBridgeVlans', ({ ns }) => ns.deleteBridgeVlans('v0', [7]), {
    absent: ['no such VLAN', '', nothing],
    equal: ['the VLAN', has, changes('- vlan v0 7')],
    different: ['another VLAN', 'bridge vlan add dev v0 vid 8', nothing],
    half: ['no port of a bridge', outside, refuses('ENOTSUP', 'delete VLANs of v0')],
  }),
  row('Netns.listBridgeVlans', async ({ ns }) => (await ns.listBridgeVlans({ link: 'v0' })).map(({ start }) => start), {
    absent: ['only the VLAN of every port', '', gives([1])],
    equal: ['a VLAN', has, gives([1, 7])],
    different: ['a VLAN of another port', 'bridge vlan add dev br0 vid 7 self', gives([1])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
]
