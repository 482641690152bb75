// What was sent, as the library tells it, beside what strace(1) saw go out, and what two snapshots differ in.

import * as assert from 'uvu/assert'
import {
  createNetns,
  createNetwork,
  deleteNetns,
  diffSnapshots,
  explain,
  inspect,
  type NetnsSnapshot,
  type SnapshotChange,
} from '../../lib/index.ts'
import { output, run } from '../support/command.ts'
import { runProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'

const linesOf = (changes: readonly SnapshotChange[]): string[] =>
  changes.map((one) => `${one.change} ${one.what}${one.change === 'changed' ? `: ${one.fields.join(' ')}` : ''}`)

{
  const test = suite('explain')

  test('tells the result, and what was sent for it: messages with their namespace and purpose, settings, questions', async () => {
    await using ns = await createNetns()
    const told = await explain(async () => {
      await ns.createBridge({ name: 'br0' })
      await ns.setSysctl('net.ipv4.ip_forward', 1)
      return 7
    })
    assert.is(told.status, 'fulfilled')
    assert.is(told.status === 'fulfilled' && told.value, 7)
    const [bridge] = told.sent.filter(({ type }) => type === 'RTM_NEWLINK')
    assert.is(bridge?.netns, ns.inode)
    assert.match(bridge?.words ?? '', /^link add name br0 .*kind bridge/)
    assert.is(bridge?.step, 'make the bridge br0')
    const [setting] = told.sent.filter(({ type }) => type === 'setSysctl')
    assert.equal(setting, { netns: ns.inode, type: 'setSysctl', words: 'sysctl net.ipv4.ip_forward=1' })
  })

  test('tells a refusal as the outcome, with what was sent until then', async () => {
    await using ns = await createNetns()
    const told = await explain(() => ns.deleteLink('nobody'))
    assert.is(told.status, 'rejected')
    assert.match(String(told.status === 'rejected' && told.reason), /nobody/)
    assert.ok(told.sent.some(({ words }) => words.includes('nobody')))
    const early = await explain(() => {
      throw new Error('early')
    })
    assert.is(early.status === 'rejected' && early.reason.message, 'early')
    assert.equal(early.sent, [])
  })

  test('tells all of an attach and a detach, which are made behind the boundary', async () => {
    const network = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'] })
    const told = await explain(() =>
      network.attach({ name: 'web', publish: ['8080:80'], sysctls: { 'net.ipv4.ip_unprivileged_port_start': 80 } }),
    )
    assert.ok(told.status === 'fulfilled')
    const web = told.value
    const said = told.sent.map(({ netns, words }) => `${netns === web.netns.inode ? 'inside' : 'host'}: ${words}`)
    const has = (start: string): boolean => said.some((line) => line.startsWith(start))
    for (const start of [
      'host: link add',
      `host: link set index ${web.hostIndex} alias`,
      'inside: sysctl net.ipv4.ip_unprivileged_port_start=80',
      'inside: sysctl net.ipv6.conf.default.accept_ra=0',
      'inside: address add family 2',
      'inside: address add family 10',
      'inside: route add',
      'host: add element family 1 table netlink-ct set ports4',
    ])
      assert.ok(has(start), `${start}\n${said.join('\n')}`)
    assert.ok(told.sent.every(({ netns }) => netns !== undefined))
    const gone = await explain(() => web.detach())
    assert.ok(gone.sent.some(({ type, step }) => type === 'RTM_DELLINK' && step === 'delete the links'))
    assert.ok(gone.sent.some(({ type }) => type === 'NFT_MSG_DELSETELEM'))
    await network.delete()
  })

  test('tells of an attach that is refused what was sent and taken back', async () => {
    const network = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
    const told = await explain(() => network.attach({ name: 'web', sysctls: { 'net.ipv4.ip_default_ttl': 'nonsense' } }))
    assert.is(told.status, 'rejected')
    assert.ok(told.sent.some(({ words }) => words === 'sysctl net.ipv4.ip_default_ttl=nonsense'))
    assert.ok(told.sent.some(({ type }) => type === 'RTM_DELLINK'))
    await network.delete()
  })

  test('tells nothing of what others do at the same time', async () => {
    await using one = await createNetns()
    await using other = await createNetns()
    const [told, ...rest] = await Promise.all([
      explain(() => one.createBridge({ name: 'mine' })),
      other.createBridge({ name: 'theirs' }),
      explain(() => other.createBridge({ name: 'third' })),
    ])
    assert.ok(told.sent.length > 0 && told.sent.every(({ netns }) => netns === one.inode))
    assert.ok(rest[1].sent.every(({ words }) => !words.includes('theirs')))
  })

  const untraced = (await run('strace', ['-V'])).code === 0 ? undefined : 'strace is not installed'
  test.skipIf(untraced, 'tells as many messages as the kernel is sent', async () => {
    const { code, stdout, stderr } = await runProgram(
      `const network = await ct.createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
       const told = await ct.explain(() => network.attach({ name: 'web', publish: ['8080:80'] }))
       console.log(JSON.stringify(told.sent.filter(({ type }) => type.includes('_')).map(({ type }) => type)))
       await network.delete({ force: true })`,
      { within: ['strace', '-f', '-e', 'trace=sendto', '-e', 'signal=none'] },
    )
    assert.is(code, 0, stderr)
    const told = JSON.parse(stdout) as string[]
    const submissions = stderr.split('\n').filter((line) => line.includes('sendto('))
    const at = submissions.findIndex((line) => line.includes('IFLA_IFALIAS') && line.includes('endpoint web'))
    const messages = (line: string | undefined): number => line?.match(/nlmsg_type=RTM_/g)?.length ?? 0
    // The one with the veth pair: a question, the pair, its alias and its name.
    assert.is(messages(submissions[at]), 4)
    const create = told.indexOf('RTM_NEWLINK')
    assert.equal(told.slice(create - 1, create + 3), ['RTM_GETLINK', 'RTM_NEWLINK', 'RTM_SETLINK', 'RTM_NEWLINKPROP'])
  })

  test('takes a function', async () => {
    for (const wrong of [undefined, null, 7, Promise.resolve()]) {
      const error = await explain(wrong as unknown as () => void).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof TypeError && (error as NodeJS.ErrnoException).code === 'ERR_INVALID_ARG_TYPE')
    }
  })

  test.run()
}

{
  const test = suite('diffSnapshots')

  const changesOf = async (body: (netns: Awaited<ReturnType<typeof createNetns>>) => Promise<unknown>): Promise<string[]> => {
    const ns = await createNetns('differs')
    await using _gone = { [Symbol.asyncDispose]: () => deleteNetns('differs') }
    await ns.createBridge({ name: 'br0', up: true })
    await ns.addAddress('br0', '10.9.0.1/24')
    await ns.nftables.apply([
      { add: { table: { family: 'inet', name: 'mine' } } },
      { add: { set: { family: 'inet', table: 'mine', name: 'ports', type: 'inet_service' } } },
      { add: { element: { family: 'inet', table: 'mine', name: 'ports', elem: [80] } } },
    ])
    const before = await ns.inspect()
    await body(ns)
    const after = JSON.parse(JSON.stringify(await ns.inspect())) as NetnsSnapshot
    await ns.close()
    // The kernel joins and leaves groups when it likes.
    return linesOf(diffSnapshots(before, after)).filter((line) => !/ (224\.|ff02:)/.test(line))
  }
  const ip = (...args: string[]): Promise<string> => output('ip', args, { netns: 'differs' })

  test('of one moment are none', async () => {
    assert.equal(await changesOf(async () => {}), [])
  })

  test('name what another tool changed, by the names of devices', async () => {
    const changes = await changesOf(async () => {
      await ip('route', 'add', '10.8.0.0/16', 'via', '10.9.0.2', 'metric', '7')
      await ip('address', 'add', '10.9.1.1/24', 'dev', 'br0')
      await ip('neighbor', 'add', '10.9.0.7', 'lladdr', '02:00:00:00:00:07', 'dev', 'br0')
      await ip('rule', 'add', 'from', '10.9.0.0/24', 'lookup', '100')
      await output('nft', ['add element inet mine ports { 443 }; delete element inet mine ports { 80 }'], { netns: 'differs' })
    })
    for (const line of [
      'added route 10.8.0.0/16 via 10.9.0.2 dev br0 metric 7',
      'added address 10.9.1.1/24 dev br0',
      'added neighbor 10.9.0.7 dev br0',
      'removed element inet mine ports 80',
      'added element inet mine ports 443',
    ])
      assert.ok(changes.includes(line), `${line}\n${changes.join('\n')}`)
    assert.ok(changes.some((line) => /^added rule .*10\.9\.0\.0\/24/.test(line)))
    assert.ok(changes.findIndex((line) => line.includes('ports 80')) < changes.findIndex((line) => line.includes('ports 443')))
  })

  test('a device is the same by another name, and another by the same name', async () => {
    assert.equal(
      (
        await changesOf(async () => {
          await ip('link', 'set', 'br0', 'down')
          await ip('link', 'set', 'br0', 'name', 'br1', 'mtu', '1400')
        })
      )
        .filter((line) => line.includes(' link '))
        // Which the kernel works out a moment later.
        .map((line) => line.replace(/ (operstate|carrier)/g, '')),
      ['changed link br1: name up mtu'],
    )
    const again = await changesOf(async () => {
      await ip('link', 'delete', 'br0')
      await ip('link', 'add', 'br0', 'type', 'bridge')
    })
    assert.equal(
      again.filter((line) => line.includes(' link ')),
      ['removed link br0', 'added link br0'],
    )
  })

  test('of an attach are its devices, elements and nothing of counters; after the detach nothing is left', async () => {
    const network = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
    const before = await inspect()
    const web = await network.attach({ name: 'web', publish: ['8080:80'] })
    const lines = linesOf(diffSnapshots(before, await inspect()))
    assert.ok(lines.includes(`added link ${web.hostIfname}`), lines.join('\n'))
    assert.ok(lines.some((line) => line.startsWith('added element inet netlink-ct ports4') && line.includes('8080')))
    await web.detach()
    const left = linesOf(diffSnapshots(before, await inspect()))
    assert.equal(
      left.filter((line) => !/nsid|link .*(operstate|carrier)/.test(line)),
      [],
    )
    await network.delete()
  })

  test.run()
}
