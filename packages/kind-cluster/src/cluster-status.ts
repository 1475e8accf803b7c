import { checkOurs } from './ours.js'
import { type OutsideState, outsideState } from './outside/index.js'
import type { Place } from './place.js'
import { commandsFor } from './plan/commands.js'
import { json, type Release, releasesIn } from './plan/done.js'
import { doors, layerNames } from './plan/layers.js'
import { readRecord } from './record.js'
import type { Command, RunOptions, Tools } from './tools.js'

export interface NodeStatus {
  readonly name: string
  readonly ready: boolean
  readonly version: string
}

export interface LayerStatus {
  readonly name: string
  /** Objects of the layer that are there, of how many. */
  readonly there: number
  readonly of: number
}

export interface WorkloadStatus {
  /** `shop/web-api` */
  readonly name: string
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet'
  readonly ready: number
  readonly wanted: number
}

export interface ClusterStatus {
  /** Every node and every workload is ready, every component is installed, and the host outside is up. */
  readonly ready: boolean
  readonly nodes: readonly NodeStatus[]
  readonly components: readonly Release[]
  readonly layers: readonly LayerStatus[]
  readonly workloads: readonly WorkloadStatus[]
  readonly doors: readonly { readonly gateway: string; readonly url: string }[]
  /** The host outside of the cluster, beside its nodes. */
  readonly outside: OutsideState
}

export interface StatusInput {
  readonly place: Place
  /** How many objects each layer has in its files. */
  readonly layerSizes: ReadonlyMap<string, number>
  /** `shop/web-api` of what the manifests start. */
  readonly workloads: readonly string[]
}

/** @throws NotOursError when there is no cluster of ours or it does not answer; Error when it cannot be asked */
export async function clusterStatus(
  tools: Tools,
  input: StatusInput,
  options: RunOptions = {},
): Promise<ClusterStatus> {
  const { place, layerSizes, workloads: expected } = input
  const { kubectl, helm } = commandsFor(place)
  await checkOurs(tools, place, readRecord(place), options)
  const ask = async (command: Command): Promise<string> => {
    const { code, stdout, stderr } = await tools.run(command, options)
    if (code === 0) return stdout
    throw new Error(
      `the cluster cannot be asked (${command.tool} ${command.args.slice(4).join(' ')}): ${stderr.trim()}`,
    )
  }
  const nodes = itemsOf(await ask(kubectl(['get', 'nodes', '--output', 'json']))).map(nodeStatus)
  const components = releasesIn(json(await ask(helm(['list', '--all-namespaces', '--output', 'json'], 1))))
  const layers: LayerStatus[] = []
  for (const name of layerNames) {
    const get = kubectl(['get', '-k', `k8s/layers/${name}`, '--ignore-not-found', '--output', 'name'])
    // A kind that the cluster does not know is an object that is not there.
    const { stdout } = await tools.run(get, options)
    layers.push({ name, there: stdout.split('\n').filter((line) => line !== '').length, of: layerSizes.get(name) ?? 0 })
  }
  const kinds = 'deployments,statefulsets,daemonsets'
  const found = itemsOf(await ask(kubectl(['get', kinds, '--all-namespaces', '--output', 'json']))).map(workloadStatus)
  const workloads = expected.map(
    (name) => found.find((one) => one.name === name) ?? { name, kind: 'Deployment' as const, ready: 0, wanted: 1 },
  )
  const outside = await outsideState(tools, options)
  const ready =
    outside === 'up' &&
    nodes.length > 0 &&
    nodes.every((node) => node.ready) &&
    components.length > 0 &&
    components.every(({ status }) => status === 'deployed') &&
    workloads.every((one) => one.wanted > 0 && one.ready >= one.wanted)
  const open = layers.find(({ name }) => name === '70-ingress')
  const urls = doors.map(({ namespace, name, port }) => ({
    gateway: `${namespace}/${name}`,
    url: `http://127.0.0.1:${port}/`,
  }))
  return { ready, nodes, components, layers, workloads, doors: (open?.there ?? 0) > 0 ? urls : [], outside }
}

interface Item {
  readonly kind?: string
  readonly metadata?: { readonly name?: string; readonly namespace?: string }
  readonly spec?: { readonly replicas?: number }
  readonly status?: {
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[]
    readonly nodeInfo?: { readonly kubeletVersion?: string }
    readonly readyReplicas?: number
    readonly numberReady?: number
    readonly desiredNumberScheduled?: number
  }
}

function itemsOf(text: string): readonly Item[] {
  const answer = json(text)
  const items = typeof answer === 'object' && answer !== null && 'items' in answer ? answer.items : []
  return Array.isArray(items) ? items.filter((one): one is Item => typeof one === 'object' && one !== null) : []
}

function nodeStatus({ metadata, status }: Item): NodeStatus {
  return {
    name: metadata?.name ?? '',
    ready: (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True'),
    version: status?.nodeInfo?.kubeletVersion ?? '',
  }
}

function workloadStatus({ kind, metadata, spec, status }: Item): WorkloadStatus {
  const name = `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`
  if (kind === 'DaemonSet')
    return { name, kind, ready: status?.numberReady ?? 0, wanted: status?.desiredNumberScheduled ?? 0 }
  return {
    name,
    kind: kind === 'StatefulSet' ? kind : 'Deployment',
    ready: status?.readyReplicas ?? 0,
    wanted: spec?.replicas ?? 1,
  }
}
