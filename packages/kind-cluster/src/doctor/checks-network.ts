import type { Command } from '../tools.js'
import { proxyCheck, shown } from './check-proxy.js'
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
export function networkChecks(ground: Ground): readonly Check[] {
  const { machine, config } = ground
  return [
    proxyCheck(ground),
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
