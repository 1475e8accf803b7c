import { join } from 'node:path'
import { valueAt } from '../target/live/plain.js'
import { info } from './checks-engine.js'
import { kindVersion } from './checks-tools.js'
import { readInfo } from './engine-info.js'
import { howToGet } from './get.js'
import type { Check, Ground, Judgement, Machine, Seen } from './types.js'
import { compareVersions, versionIn } from './versions.js'

/**
 * Since which version kind reads the proxies of Docker's configuration. Docker's program gives them to each container that it starts; an
 * older kind does not know of them, and so does not keep the nodes' own addresses from them.
 */
const KNOWS_DOCKERS = '0.33'

const LOOPBACK = /^(?:https?:\/\/)?(?:[^@/]*@)?(?:127\.|localhost(?=[:/]|$)|\[::1\])/i

/** An address without a name and a password in it. */
export const shown = (address: string): string => address.replace(/\/\/[^@/]*@/, '//')

/** Where a proxy is named, and so who hands it on to the nodes. */
interface Named {
  readonly proxy: string
  readonly where: string
  readonly without: string
}

export function proxyCheck(ground: Ground): Check {
  return {
    id: 'proxy',
    asks: 'Is there a proxy in the way?',
    after: ['docker'],
    command: info,
    besides: kindVersion,
    judge: (seen, kind) => judgeProxy(seen, kind, ground),
  }
}

function judgeProxy(seen: Seen, kind: Seen | undefined, ground: Ground): Judgement {
  const { env } = ground.machine
  const own = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].flatMap((name) => env[name] || [])
  // kind takes those of the environment first, as Docker's program takes what kind says.
  if (own[0] !== undefined)
    return handedOn({
      proxy: own[0],
      where: 'is set here',
      without:
        'begin without it: `env -u HTTP_PROXY -u HTTPS_PROXY -u http_proxy -u https_proxy npx bulkhead cluster up`',
    })
  const file = configFile(ground.machine)
  const dockers = file === undefined ? undefined : proxyIn(ground.machine.readText(file), env.DOCKER_HOST)
  if (file !== undefined && dockers !== undefined) {
    const named = { proxy: dockers, where: `is in ${file}`, without: 'take "proxies" out of that file' }
    const version = kind?.kind === 'answered' ? versionIn(kind.result.stdout) : undefined
    const knows = version === undefined || compareVersions(version, KNOWS_DOCKERS) >= 0
    return knows || LOOPBACK.test(dockers) ? handedOn(named) : unknownToKind(named, version, ground)
  }
  const [engines] = (seen.kind === 'answered' ? readInfo(seen.result.stdout)?.proxies : undefined) ?? []
  return { status: 'ok', found: engines === undefined ? 'none' : `Docker's own: ${shown(engines)}` }
}

function handedOn({ proxy, where, without }: Named): Judgement {
  if (LOOPBACK.test(proxy))
    return {
      status: 'warn',
      found: `${shown(proxy)} ${where}, and is on this machine itself`,
      why: 'It is handed on to the nodes, and to them that address is their own: they would pull no image.',
      remedy: [`Name the proxy by an address that containers reach, or ${without}.`],
    }
  return {
    status: 'warn',
    found: `${shown(proxy)} ${where}`,
    why: "kind hands it on to the nodes, with NO_PROXY for the cluster's own addresses: images of the platform are pulled through it.",
    remedy: ['If it opens TLS, its CA certificate has to be trusted by Docker and by the nodes, too.'],
  }
}

/** The nodes have it from Docker's program, and kind has completed nothing. */
function unknownToKind({ proxy, where }: Named, version: string, ground: Ground): Judgement {
  return {
    status: 'warn',
    found: `${shown(proxy)} ${where}, of which kind ${version} knows nothing`,
    why: "Docker's program gives it to the nodes without NO_PROXY for the cluster's own addresses: they would ask the proxy for each other, and not find together.",
    remedy: [
      ...howToGet('kind', ground),
      `Or name it in the environment, too, which every kind reads and completes: \`env HTTP_PROXY=${shown(proxy)} HTTPS_PROXY=${shown(proxy)} npx bulkhead cluster up\`.`,
    ],
  }
}

/** Docker's program keeps what its user has set there. */
function configFile({ env }: Machine): string | undefined {
  if (env.DOCKER_CONFIG) return join(env.DOCKER_CONFIG, 'config.json')
  return env.HOME ? join(env.HOME, '.docker/config.json') : undefined
}

/** By the engine that is asked, or for all. */
function proxyIn(text: string | undefined, host = ''): string | undefined {
  const proxies = valueAt(parsed(text), 'proxies')
  const ours = valueAt(proxies, host) ?? valueAt(proxies, 'default')
  const [found] = ['httpsProxy', 'httpProxy'].map((name) => valueAt(ours, name)).filter((one) => one)
  return typeof found === 'string' ? found : undefined
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    // What is wrong with it Docker's program says itself.
    return undefined
  }
}
