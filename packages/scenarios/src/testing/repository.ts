import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { loadManifests, type PodTemplate, type Resource } from '@bulkhead/resources'
import { type CompileOptions, compile, type Flow, judge, judgeAt, type Pod, type Snapshot } from '@bulkhead/verdict'
import { type Legitimate, legitimateFlows } from './legitimate-flows.js'

const root = resolve(import.meta.dirname, '../../../..')

/** All of k8s/ that is in force: the workloads, and every layer. */
export const { resources } = await loadManifests([join(root, 'k8s/workloads'), join(root, 'k8s/layers')], {
  relativeTo: root,
})
export const allLayers: readonly string[] = [...new Set(resources.flatMap(({ layer }) => layer ?? []))].sort()

/** What may be created at all: asked before there is a flow. */
export const admission = '10-admission'

/** Those that judge flows. */
export const layers: readonly string[] = allLayers.filter((layer) => layer !== admission)

/** Every set of layers, the empty one and all of them among these. */
export const combinations: readonly (readonly string[])[] = Array.from({ length: 2 ** layers.length }, (_, bits) =>
  layers.filter((_, index) => (bits >> index) & 1),
)

/** The workloads with some layers around them. */
export function snapshotWith(
  on: readonly string[],
  options: CompileOptions = {},
  objects: readonly Resource[] = resources,
): Snapshot {
  return compile(
    objects.filter(({ layer }) => layer === undefined || on.includes(layer)),
    options,
  )
}

export function podOf(workload: string, { pods }: Snapshot): Pod {
  return [...pods.values()].find((pod) => pod.workload === workload) ?? assert.fail(`no pod of ${workload}`)
}

/** What the network says of a packet from pod to pod, at either end; `true`: it arrives. */
export function passes(from: Pod, to: Pod, port: number, snapshot: Snapshot, protocol: 'TCP' | 'UDP' = 'TCP'): boolean {
  const tuple = { src: from.ip, dst: to.ip, port, protocol }
  const out = judgeAt('cni-egress', { pod: from, peer: to, tuple }, snapshot)
  const into = judgeAt('cni-ingress', { pod: to, peer: from, tuple }, snapshot)
  return out.outcome === 'allow' && into.outcome === 'allow'
}

/** The kubelet's own: every probe that a manifest asks for, from the node on which the pod is. */
function probesOf(snapshot: Snapshot): readonly Legitimate[] {
  return [...snapshot.pods.values()].flatMap((pod) =>
    probedPorts(pod).map((port) => ({
      why: 'a probe of the kubelet',
      flow: { from: { node: pod.node }, to: { workload: pod.workload }, port },
    })),
  )
}

const withTemplate = /^(Deployment|StatefulSet|DaemonSet)\//

function ownerOf(pod: Pod): Resource | undefined {
  return resources.find(({ id }) => withTemplate.test(id) && id.endsWith(`/${pod.workload}`))
}

function probedPorts(pod: Pod): readonly number[] {
  const { template } = (ownerOf(pod)?.object as { readonly spec?: { readonly template: PodTemplate } })?.spec ?? {}
  const asked = (template?.spec.containers ?? []).flatMap((container) =>
    [container.startupProbe, container.readinessProbe, container.livenessProbe].flatMap((probe) => {
      const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port
      return port === undefined ? [] : [pod.ports.find(({ name }) => name === port)?.port ?? Number(port)]
    }),
  )
  return [...new Set(asked)]
}

export function describeFlow({ from, to, port, protocol = 'TCP', dns, http }: Flow): string {
  const asks = dns === undefined ? '' : ` for ${dns.query}`
  const request = http === undefined ? '' : ` ${http.method} ${http.path}`
  return `${Object.values(from)[0]} -> ${Object.values(to)[0]}:${port}/${protocol}${asks}${request}`
}

/** What does not work of what is meant to, or works past a door that is shut. */
export function wrongWith(on: readonly string[], snapshot: Snapshot): readonly string[] {
  const probes = probesOf(snapshot)
  assert.ok(probes.length >= 6)
  return [...probes, ...legitimateFlows].flatMap(({ why, flow, needs = [], shut }) => {
    if (!needs.every((layer) => on.includes(layer))) return []
    const { outcome, text } = judge(flow, snapshot)
    const expected = shut !== undefined && on.includes(shut.on) && !on.includes(shut.off) ? 'deny' : 'allow'
    return outcome === expected ? [] : [`${describeFlow(flow)} (${why}): ${text}`]
  })
}
