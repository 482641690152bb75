import { type Circumstances, type Pair, pair } from '../pair.ts'

const mac = '02:00:00:00:00:09'

/** bridge adds NUD_REACHABLE and NUD_NOARP, which say nothing beside NUD_NOARP and NUD_PERMANENT. */
const states = (ours: number, theirs: number): Circumstances => ({ ours: { state: ours }, theirs: { state: theirs } })

export const fdb: readonly Pair[] = [
  pair(`bridge fdb add ${mac} dev v0 master static`, (here) => here.addFdbEntry({ mac, link: 'v0' }), states(64, 66)),
  pair(
    `bridge fdb add ${mac} dev v0 master local`,
    (here) => here.addFdbEntry({ mac, link: 'v0', state: 'local' }),
    states(128, 192),
  ),
  pair(`bridge fdb add ${mac} dev v0 master dynamic`, (here) => here.addFdbEntry({ mac, link: 'v0', state: 'dynamic' })),
  pair(
    `bridge fdb replace ${mac} dev v0 master static sticky vlan 1`,
    (here) => here.replaceFdbEntry({ mac, link: 'v0', sticky: true, vlan: 1 }),
    { ...states(64, 66), after: ['ip link set br0 type bridge vlan_filtering 1'] },
  ),
  pair(`bridge fdb add ${mac} dev vx0 self dst 192.0.2.1 port 8472 vni 7`, (here) =>
    here.addFdbEntry({ mac, link: 'vx0', remote: '192.0.2.1', port: 8472, vni: 7 }),
  ),
  pair('bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.2', (here) =>
    here.appendFdbEntry({ mac: '00:00:00:00:00:00', link: 'vx0', remote: '192.0.2.2' }),
  ),
  pair(`bridge fdb delete ${mac} dev v0 master`, (here) => here.deleteFdbEntry({ mac, link: 'v0' }), {
    ...states(64, 192),
    after: [`bridge fdb add ${mac} dev v0 master static`],
  }),
  pair(
    `bridge fdb delete ${mac} dev vx0 dst 192.0.2.1`,
    (here) => here.deleteFdbEntry({ mac, link: 'vx0', remote: '192.0.2.1' }),
    { after: [`bridge fdb add ${mac} dev vx0 dst 192.0.2.1`] },
  ),
  pair('bridge fdb show dev v0', (here) => here.listFdb({ link: 'v0' })),
]
