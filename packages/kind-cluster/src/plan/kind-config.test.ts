import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadManifests, type Resource } from '@bulkhead/resources'
import { parseYaml } from '@bulkhead/resources/yaml'
import { readPins } from '../pins.js'
import { clusterName } from '../place.js'
import { nodeNames } from './images.js'
import { doors } from './layers.js'
import { root } from './testing.js'

interface Mapping {
  readonly containerPort: number
  readonly hostPort: number
  readonly listenAddress: string
}
interface Config {
  readonly name: string
  readonly networking: Readonly<Record<string, unknown>>
  readonly nodes: readonly {
    readonly role: string
    readonly image: string
    readonly extraPortMappings?: readonly Mapping[]
  }[]
}

const config = parseYaml(readFileSync(join(root, 'kind-config.yaml'), 'utf8')).documents[0]?.value as Config
const mappings = config.nodes.flatMap(({ extraPortMappings = [] }) => extraPortMappings)

test('every node has the image that is pinned', () => {
  const { node } = readPins(root).kind
  assert.deepEqual(
    config.nodes.map(({ image }) => image),
    [node, node, node],
  )
})

test('the nodes have the names that everything else counts on', () => {
  assert.equal(config.name, clusterName)
  assert.deepEqual(
    config.nodes.map(({ role }) => role),
    ['control-plane', 'worker', 'worker'],
  )
  // kind: the cluster's name, the role, and a number from the second of a role on.
  assert.deepEqual(nodeNames, [`${clusterName}-control-plane`, `${clusterName}-worker`, `${clusterName}-worker2`])
})

test('its ports are the NodePorts of the manifests, on loopback alone', async () => {
  const { resources } = await loadManifests([join(root, 'k8s/layers/70-ingress'), join(root, 'k8s/workloads')], {
    relativeTo: root,
  })
  const ports = resources.flatMap(nodePorts).sort()
  assert.equal(ports.length, 3)
  assert.deepEqual(mappings.map(({ containerPort }) => containerPort).sort(), ports)
  assert.deepEqual(doors.map(({ port }) => port).sort(), ports)
  for (const { containerPort, hostPort, listenAddress } of mappings)
    assert.deepEqual([hostPort, listenAddress], [containerPort, '127.0.0.1'])
})

/** NodePorts are pinned by what a ConfigMap lays over the Service that istiod makes. */
function nodePorts({ kind, object }: Resource): readonly number[] {
  if (kind !== 'ConfigMap') return []
  const { service } = (object as { readonly data?: Readonly<Record<string, string>> } & Resource['object']).data ?? {}
  return [...(service ?? '').matchAll(/nodePort: (\d+)/g)].map(([, port]) => Number(port))
}

test('it has no network of its own, keeps kube-proxy, and the ranges that the manifests count on', () => {
  const { disableDefaultCNI, kubeProxyMode, podSubnet, serviceSubnet, apiServerAddress } = config.networking
  assert.deepEqual([disableDefaultCNI, kubeProxyMode, apiServerAddress], [true, 'iptables', '127.0.0.1'])
  assert.deepEqual([podSubnet, serviceSubnet], ['10.244.0.0/16', '10.96.0.0/16'])
  const values = parseYaml(readFileSync(join(root, 'k8s/platform/helm/cilium-kind.yaml'), 'utf8')).documents[0]?.value
  // Or Cilium gives pods addresses out of a range of its own.
  assert.deepEqual(values, { ipam: { mode: 'kubernetes' } })
})
