// After a test that failed: the sandbox as it was, so that the next one has a chance.

import { output, run, writeSysctl } from '../../support/lab.ts'
import { linksShown } from './witness.ts'

export async function sweep(): Promise<void> {
  await output('nft', ['flush', 'ruleset'])
  const links = (await linksShown()).map(({ ifname }) => ifname).filter((name) => name !== 'lo')
  await run('ip', ['-force', '-batch', '-'], { input: links.map((name) => `link delete ${name}`).join('\n') })
  await writeSysctl('net.ipv4.ip_forward', 0)
  await writeSysctl('net.ipv6.conf.all.forwarding', 0)
}
