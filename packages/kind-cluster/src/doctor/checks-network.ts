import type { Command } from '../tools.js'
import { info } from './checks-engine.js'
import { readInfo } from './engine-info.js'
import { blockOf, overlap, routesIn } from './routes.js'
import type { Check, Ground, Judgement, Machine, Seen } from './types.js'

const network: Command = {
  tool: 'docker',
  args: ['network', 'inspect', 'kind', '--format', '{{range .IPAM.Config}}{{.Subnet}} {{end}}'],
  timeoutMs: 30_000,
}

/** What stands between the nodes and the registries, or between this machine and the nodes. */
export function networkChecks({ machine, config }: Ground): readonly Check[] {
  return [
    {
      id: 'proxy',
      asks: 'Is there a proxy in the way?',
      after: ['docker'],
      command: info,
      judge: (seen) => judgeProxy(seen, machine),
    },
    {
      id: 'mirror',
      asks: 'Does Docker ask another registry than Docker Hub, of which the nodes know nothing?',
      after: ['docker'],
      command: info,
      judge: judgeMirror,
    },
    {
      id: 'routes',
      asks: 'Does a VPN, or another network, use the addresses of the cluster?',
      after: ['docker'],
      command: network,
      judge: (seen) => judgeRoutes(seen, config.subnets, machine),
    },
  ]
}

const LOOPBACK = /^(?:https?:\/\/)?(?:[^@/]*@)?(?:127\.|localhost(?=[:/]|$)|\[::1\])/i

/** A proxy's address without a name and a password in it. */
const shown = (proxy: string): string => proxy.replace(/\/\/[^@/]*@/, '//')

function judgeProxy(seen: Seen, { env }: Machine): Judgement {
  const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']
  const own = names.flatMap((name) => env[name] || [])
  const engines = (seen.kind === 'answered' ? readInfo(seen.result.stdout)?.proxies : undefined) ?? []
  const [proxy] = own
  if (proxy === undefined)
    return engines.length === 0
      ? { status: 'ok', found: 'none' }
      : { status: 'ok', found: `Docker's own: ${shown(engines[0] ?? '')}` }
  if (LOOPBACK.test(proxy))
    return {
      status: 'warn',
      found: `${shown(proxy)} is set here, and is on this machine itself`,
      why: 'kind hands it on to the nodes, and to them that address is their own: they would pull no image.',
      remedy: [
        'Name the proxy by an address that containers reach, or begin without it: `env -u HTTP_PROXY -u HTTPS_PROXY -u http_proxy -u https_proxy npx bulkhead cluster up`.',
      ],
    }
  return {
    status: 'warn',
    found: `${shown(proxy)} is set here`,
    why: "kind hands it on to the nodes, with NO_PROXY for the cluster's own addresses: images of the platform are pulled through it.",
    remedy: ['If it opens TLS, its CA certificate has to be trusted by Docker and by the nodes, too.'],
  }
}

function judgeMirror(seen: Seen): Judgement {
  const [mirror] = (seen.kind === 'answered' ? readInfo(seen.result.stdout)?.mirrors : undefined) ?? []
  if (mirror === undefined) return { status: 'ok', found: 'none' }
  return {
    status: 'warn',
    found: `${shown(mirror)} in the place of Docker Hub`,
    why: "The nodes fetch the images of Cilium, Istio and Kyverno themselves, and from the registries' own addresses.",
    remedy: [
      'Where these are not to be reached: `npx bulkhead cluster bundle` fetches all of them by Docker, and `npx bulkhead cluster up --bundle FILE` asks no registry.',
    ],
  }
}

function judgeRoutes(seen: Seen, subnets: readonly string[], machine: Machine): Judgement {
  const table = machine.readText('/proc/net/route')
  if (table === undefined)
    return { status: 'skipped', found: "the nodes are in Docker's virtual machine, which has routes of its own" }
  const nodes = seen.kind === 'answered' && seen.result.code === 0 ? seen.result.stdout.trim().split(/\s+/) : []
  const foreign = routesIn(table).filter(({ device }) => !/^(br-|docker|veth|cni|lo$)/.test(device))
  for (const cidr of [...nodes, ...subnets]) {
    const block = blockOf(cidr)
    if (block === undefined) continue
    const route = foreign.find((one) => {
      const other = blockOf(one.cidr)
      return other !== undefined && overlap(block, other)
    })
    if (route !== undefined)
      return {
        status: 'warn',
        found: `${route.cidr} goes to ${route.device}, and the cluster uses ${cidr}`,
        why: nodes.includes(cidr)
          ? 'What is meant for the nodes is sent to that network instead, or what is meant for it to the nodes.'
          : 'Pods take addresses there for pods and Services: they will not reach that network.',
        remedy: [
          nodes.includes(cidr)
            ? "End the VPN while you use the cluster; or, when no cluster of kind's is there, `docker network rm kind` lets the next one choose other addresses."
            : 'Nothing, unless a pod is to speak to it, or a DNS server or a proxy is there: then end the VPN while you use the cluster.',
        ],
      }
  }
  return { status: 'ok', found: 'no route leads there' }
}
