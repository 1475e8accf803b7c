import { existsSync } from 'node:fs'
import { checkOurs, kindClusters, NotOursError } from '../ours.js'
import { inspectOutside, outsideName, readInspected } from '../outside/index.js'
import { clusterName, type Place } from '../place.js'
import { type Chart, chartsOf, sourceOf } from '../plan/charts.js'
import { type ClusterRecord, RecordError, readRecord } from '../record.js'
import { type Command, ToolError, type Tools } from '../tools.js'
import { type CanaryReport, runCanary } from './canary.js'
import { causeOf } from './causes.js'
import { recorded } from './recorded.js'
import type { Check, Ground, Judgement } from './types.js'

/** Whether there is a cluster of that name, and whose; and if it is ours, whether its network enforces anything. */
export function clusterChecks(tools: Tools, { place, machine }: Ground, canary: boolean): readonly Check[] {
  const cluster: Check = {
    id: 'cluster',
    asks: `Is there a cluster named ${clusterName} already, and is it ours?`,
    after: ['docker', 'kind', 'kubectl'],
    look: (signal) => lookForCluster(tools, place, signal),
  }
  const always = [cluster, outsideCheck]
  if (!canary || recorded(place)?.uid === undefined) return always
  return [
    ...always,
    {
      id: 'canary',
      asks: 'Does the network of the cluster enforce a NetworkPolicy?',
      after: ['cluster'],
      look: async (signal) =>
        judgeCanary(await runCanary(tools, place, signal === undefined ? {} : { signal }), machine.platform),
    },
  ]
}

const outsideCheck: Check = {
  id: 'outside',
  asks: `Is the name ${outsideName} free for the host outside of the cluster?`,
  after: ['docker'],
  command: inspectOutside,
  judge: (seen) => {
    const { container } = seen.kind === 'answered' ? readInspected(seen.result) : {}
    if (container === undefined) return { status: 'ok', found: 'free' }
    if (container.ours) return { status: 'ok', found: container.running ? 'held by ours, which runs' : 'held by ours' }
    return {
      status: 'fail',
      found: 'a container that was not made here has it',
      why: 'The nodes find that host by its name, and nothing is done to a container that is not ours.',
      remedy: [
        `If nobody needs it: \`docker container rm --force ${outsideName}\`; or \`docker rename ${outsideName} NAME\`.`,
      ],
    }
  },
}

async function lookForCluster(tools: Tools, place: Place, signal: AbortSignal | undefined): Promise<Judgement> {
  const options = signal === undefined ? {} : { signal }
  try {
    if (!(await kindClusters(tools, place, options)).includes(clusterName))
      return { status: 'ok', found: 'there is none' }
    const record = readRecord(place)
    if (record?.uid === undefined) return unknownCluster(record, place)
    await checkOurs(tools, place, record, options)
    return { status: 'ok', found: 'ours, and it answers' }
  } catch (error) {
    if (error instanceof NotOursError || error instanceof RecordError) return { status: 'fail', found: error.message }
    if (error instanceof ToolError || (error instanceof Error && signal?.aborted !== true))
      return { status: 'fail', found: error.message }
    throw error
  }
}

/** One of the name, and nothing says that it is the one that was made here, or that it was finished. */
function unknownCluster(record: ClusterRecord | undefined, { kubeconfig }: Place): Judgement {
  if (record !== undefined)
    return {
      status: 'warn',
      found: 'one was begun here, and not finished',
      remedy: ['`npx bulkhead cluster up` makes it anew, `npx bulkhead cluster down` takes away what there is.'],
    }
  if (existsSync(kubeconfig))
    return {
      status: 'warn',
      found: `there is one, and a kubeconfig of ours, and nothing says that \`cluster up\` has made it`,
      why: 'So it is when the lines of the plan were typed by hand.',
    }
  return {
    status: 'fail',
    found: `kind has a cluster named ${clusterName}, and it was not made here`,
    why: 'Nothing is done to a cluster that is not ours, and there is room for one of the name.',
    remedy: [`If nobody needs it: \`kind delete cluster --name ${clusterName}\`.`],
  }
}

function judgeCanary({ outcome, found, result }: CanaryReport, platform: Ground['machine']['platform']): Judgement {
  if (outcome === 'enforced') return { status: 'ok', found }
  const known = result === undefined ? undefined : causeOf(`${result.stderr}\n${result.stdout}`, platform)
  if (outcome === 'open')
    return {
      status: 'fail',
      found,
      why: 'Then no policy of 20-network or 30-cilium holds either, whatever `kubectl get` shows.',
      remedy: [
        'Is Cilium on every node? `kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead --namespace kube-system get daemonset cilium`; `npx bulkhead cluster up` installs it.',
      ],
    }
  return {
    status: 'fail',
    found,
    why: 'So nothing is proven of the network.',
    remedy: known?.remedy ?? [
      '`npx bulkhead cluster status`; its pods are in namespace bulkhead-canary while it runs.',
    ],
  }
}

/** From where everything is fetched, asked in the way in which it will be. */
export function registryChecks({ pins, machine }: Ground): readonly Check[] {
  const image = (host: string, name: string): readonly [string, Command] => [
    host,
    { tool: 'docker', args: ['buildx', 'imagetools', 'inspect', name], timeoutMs: 60_000 },
  ]
  const chart = (one: Chart): readonly [string, Command] => [
    new URL(one.repository).hostname,
    { tool: 'helm', args: ['show', 'chart', ...sourceOf(one)], timeoutMs: 60_000 },
  ]
  const { cilium, istiod, kyverno } = chartsOf(pins)
  const asked = [
    image('docker.io', pins.kind.node),
    image('quay.io', `quay.io/cilium/cilium:v${pins.cilium}`),
    image('reg.kyverno.io', `reg.kyverno.io/kyverno/kyverno:v${pins.kyverno.version}`),
    chart(cilium),
    chart(istiod),
    chart(kyverno),
  ] as const
  return asked.map(([host, command]) => ({
    id: `registry-${host}`,
    asks: `Can ${host} be reached, and has it what is pinned?`,
    after: command.tool === 'docker' ? ['docker', 'buildx'] : ['helm'],
    command,
    judge: (seen) => {
      if (seen.kind === 'answered' && seen.result.code === 0) return { status: 'ok', found: 'it has it' }
      const said =
        seen.kind === 'answered' ? seen.result.stderr.trim() : seen.kind === 'failed' ? seen.error.message : ''
      const known = causeOf(said, machine.platform)
      return {
        status: 'fail',
        found: known?.cause ?? (said.split('\n').at(-1) || 'it does not answer'),
        why: '`cluster up` fetches from there. `cluster up --bundle FILE` needs no network.',
        ...(known && { remedy: known.remedy }),
      }
    },
  }))
}
