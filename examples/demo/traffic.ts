// HTTP through the network, from every side, and what must not get through.

import { host, type Netns } from 'netlink-ct'
import type { Narrator } from './narrator.ts'
import { addressOf, type Containers, published, publishMore, subnet, webPorts } from './network.ts'
import { internetPlace, lanPlace, type Surroundings } from './surroundings.ts'
import { type Answer, ask, patience, type Server, serve } from './talk.ts'
import type { Undo } from './undo.ts'

function inWords({ server, saw, error }: Answer): string {
  if (error === 'no answer') return `no answer within ${patience / 1000} s`
  return error ?? `${server} answers; it saw ${saw}`
}

const answers = (server: string, saw: string): string => inWords({ server, saw })
const silence = inWords({ error: 'no answer' })

/** Starts the web server in its container, and one on the internet. */
export async function startServers(
  narrator: Narrator,
  undo: Undo,
  { web }: Containers,
  { internet }: Surroundings,
): Promise<{ readonly web: Server }> {
  narrator.heading('Servers')
  const servers: Server[] = []
  undo.push(undefined, async () => void (await Promise.all(servers.map((server) => server.stop()))))
  const start = async (title: string, netns: Netns | undefined, name: string, ports: readonly number[]) => {
    if (netns === undefined) throw new TypeError(`${name} has no namespace`)
    const argument = ports.join(' ')
    const server = await narrator.step(
      {
        title,
        code: [
          `await ${name === 'internet' ? name : `${name}.netns`}.spawn('node', ['serve.mjs', '${name}', ${ports.map((port) => `'${port}'`).join(', ')}])`,
        ],
        shell: [`ip netns exec ${name} node serve.mjs ${name} ${argument} &`],
      },
      () => serve(netns, name, ports),
    )
    servers.push(server)
    await server.listening
    return server
  }
  const webServer = await start('a process inside the container', web.netns, 'web', webPorts)
  await start('and one on the internet', internet, 'internet', [80])
  return { web: webServer }
}

/** Everybody asks everybody. */
export async function tryTraffic(narrator: Narrator, containers: Containers, { lan }: Surroundings): Promise<void> {
  const { network, web, app } = containers
  const inApp = app.netns as Netns
  const [gateway = ''] = network.gateways
  const [webAddress, appAddress] = [addressOf(web), addressOf(app)]
  const [openPort, otherPort] = webPorts

  const check = async (who: string, from: Netns, to: string, expected: string): Promise<void> => {
    const url = `http://${to}/`
    narrator.expect(`${who} → ${url}`, expected, inWords(await ask(from, url)))
  }

  narrator.heading('The published port, from every side')
  await check('LAN neighbor', lan, `${lanPlace.hostAddress}:${published}`, answers('web', lanPlace.address))
  await check('host', host, `localhost:${published}`, answers('web', gateway))
  await check('host', host, `${lanPlace.hostAddress}:${published}`, answers('web', lanPlace.hostAddress))
  await check('app', inApp, `${lanPlace.hostAddress}:${published}`, answers('web', gateway))
  await check('web itself', web.netns as Netns, `${lanPlace.hostAddress}:${published}`, answers('web', gateway))

  narrator.heading('Inside, and out')
  await check('app', inApp, webAddress, answers('web', appAddress))
  await check('host', host, webAddress, answers('web', gateway))
  await check('app', inApp, internetPlace.address, answers('internet', internetPlace.hostAddress))

  narrator.heading('What must not get in')
  await check('LAN neighbor', lan, `${lanPlace.hostAddress}:${otherPort}`, 'ECONNREFUSED')
  await check('LAN neighbor', lan, webAddress, 'ENETUNREACH')
  await narrator.step(
    {
      title: 'a neighbor that knows where the containers are',
      code: [`await lan.addRoute({ to: '${subnet}', via: '${lanPlace.hostAddress}' })`],
      shell: [`ip -n lan route add ${subnet} via ${lanPlace.hostAddress}`],
    },
    () => lan.addRoute({ to: subnet, via: lanPlace.hostAddress }),
  )
  await check('LAN neighbor', lan, `${webAddress}:${openPort}`, silence)

  narrator.heading('Publishing at run time')
  const withdraw = await publishMore(narrator, containers)
  await check('LAN neighbor', lan, `${lanPlace.hostAddress}:${otherPort}`, answers('web', lanPlace.address))
  await withdraw()
  await check('LAN neighbor', lan, `${lanPlace.hostAddress}:${otherPort}`, 'ECONNREFUSED')
}
