// The table of docs/modes.md, from a run: `NETLINK_CT_RECORD=1 npm test -- mode/table` writes it anew.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { attachContainer, type Container, type ContainerSpec, createNetwork, openNetwork } from '../../lib/index.ts'
import { sweep } from '../network/support/sweep.ts'
import { createLab, curl, json, type Lab } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const path = join(import.meta.dirname, '../../docs/modes.md')
const [begin, end] = ['<!-- from a run: begin -->\n', '<!-- from a run: end -->\n']

const modes: readonly (readonly [title: string, spec: Omit<ContainerSpec, 'name'>])[] = [
  ['`host`', { network: 'host' }],
  ['`none`', { network: 'none' }],
  ['`bridge`', { network: 'bridge', publish: ['8080:80'] }],
  ['a network', { network: 'lab', publish: ['8080:80'] }],
  ['an internal network', { network: 'closed' }],
  ['`container:other`', { network: 'container:other' }],
]

interface Interface {
  readonly ifname: string
}

const yes = (isSo: boolean): string => (isSo ? 'yes' : '–')

async function row(lab: Lab, title: string, container: Container): Promise<string> {
  const inside = container.mode === 'host' ? undefined : { path: container.netns.path }
  const at = inside === undefined ? {} : { netns: inside }
  const reaches = async (url: string, from: Parameters<typeof curl>[1], whom: string): Promise<boolean> =>
    (await curl(url, from)).answer?.server === whom
  const devicesOf = async (options: typeof at): Promise<string> =>
    (await json<Interface[]>('ip', ['address'], options)).map(({ ifname }) => ifname).join(', ')
  const devices = await devicesOf(at)
  await using _server = await lab.serve({ ...at, name: 'container', http: 80 })
  const cells = [
    devices === (await devicesOf({})) ? 'the host’s' : devices,
    yes(await reaches('http://127.0.0.1/', at, 'container')),
    yes(await reaches('http://127.0.0.1:8000/', at, 'host')),
    yes(await reaches(`http://${lab.internetAddress}/`, at, 'internet')),
    yes(await reaches(`http://${lab.hostLanAddress}/`, { netns: 'lan' }, 'container')),
    yes(await reaches(`http://${lab.hostLanAddress}:8080/`, { netns: 'lan' }, 'container')),
    yes(container.mode !== 'host' && (await reaches('http://127.0.0.1:8081/', at, 'other'))),
  ]
  return `| ${[title, ...cells].join(' | ')} |`
}

const heading = [
  '| | devices inside | its own localhost | the host’s localhost | out to the internet | its port 80, from the LAN | as 8080, published | another’s localhost |',
  '|---|---|---|---|---|---|---|---|',
]

const test = suite('the table of network modes')
let lab: Lab
test.before(async () => {
  lab = await createLab()
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})

test('is what a run gives', async () => {
  await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  await createNetwork({ name: 'closed', subnets: ['10.9.1.0/24'], internal: true })
  await using other = await attachContainer({ name: 'other', network: 'lab' })
  await using _host = await lab.serve({ name: 'host', http: 8000 })
  await using _other = await lab.serve({ netns: { path: other.netns.path }, name: 'other', http: 8081 })
  const rows: string[] = []
  for (const [title, spec] of modes) {
    await using container = await attachContainer({ name: 'web', ...spec })
    rows.push(await row(lab, title, container))
  }
  await other.detach()
  for (const name of ['lab', 'closed', 'bridge']) await (await openNetwork(name)).delete()
  const table = `${[...heading, ...rows].join('\n')}\n`
  const text = await readFile(path, 'utf8')
  const [before = '', rest = ''] = text.split(begin)
  const [written, after = ''] = rest.split(end)
  if (process.env['NETLINK_CT_RECORD'] === '1') await writeFile(path, before + begin + table + end + after)
  else assert.is(written, table)
})

test.run()
