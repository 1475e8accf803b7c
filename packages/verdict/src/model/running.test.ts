import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Pod as PodObject, parseManifests, type Resource } from '@bulkhead/resources'
import { compile } from './compile.js'

const manifests = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { serviceAccountName: web, containers: [{ name: web, image: web, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { clusterIP: 10.96.7.7, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: kube-dns, namespace: kube-system }
spec: { clusterIP: 10.96.0.10, selector: { k8s-app: kube-dns }, ports: [{ port: 53, protocol: UDP }] }
`
const pod = (namespace: string, name: string, app: Record<string, string>, more = {}): Resource<PodObject> => {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: app },
    spec: {
      serviceAccountName: 'web',
      containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 8080 }] }],
      ...more,
    },
  }
  return parseManifests(JSON.stringify(object), 'live').resources[0] as Resource<PodObject>
}
const running = [
  { resource: pod('shop', 'web-1-a', { app: 'web' }), workload: 'web', node: 'n2', ip: '10.0.0.5' },
  { resource: pod('shop', 'web-1-b', { app: 'web' }), workload: 'web', node: 'n1', ip: '10.0.0.6' },
  {
    resource: pod('kube-system', 'coredns-x', { 'k8s-app': 'kube-dns' }),
    workload: 'coredns',
    node: 'n0',
    ip: '10.0.0.2',
  },
  { resource: pod('shop', 'owner', {}, { hostNetwork: true }), workload: 'owner', node: 'n1', ip: '172.20.0.4' },
]
const nodes = [
  { name: 'n1', ip: '172.20.0.4' },
  { name: 'n2', ip: '172.20.0.3' },
  { name: 'bulkhead-control-plane', ip: '172.20.0.2' },
]

test('of a running cluster pods, nodes and what every cluster has are where they really are', () => {
  const { resources } = parseManifests(manifests, 'a.yaml')
  const snapshot = compile(resources, { running, nodes })
  const [web] = snapshot.pods.values()
  assert.deepEqual([...snapshot.pods.keys()], ['shop/web-1-a', 'shop/web-1-b', 'kube-system/coredns-x', 'shop/owner'])
  assert.deepEqual(
    [web?.workload, web?.node, web?.ip, web?.mesh, web?.identity, web?.ports],
    ['shop/web', 'n2', '10.0.0.5', true, 'spiffe://cluster.local/ns/shop/sa/web', [{ port: 8080, protocol: 'TCP' }]],
  )
  assert.deepEqual(snapshot.services.get('shop/web')?.endpoints, ['shop/web-1-a', 'shop/web-1-b'])
  assert.equal(snapshot.platform.dns.ip, '10.0.0.2')
  assert.deepEqual(snapshot.platform.controlPlane, nodes[2])
  assert.equal(snapshot.podByIp('10.0.0.6')?.name, 'web-1-b')
  // What is on the node's network has the node's address, and no pod's.
  assert.equal(snapshot.podByIp('172.20.0.4'), undefined)
  assert.equal(snapshot.pods.get('shop/owner')?.mesh, false)
})

test('without pods of its own a cluster has none, whatever its workloads ask for', () => {
  const { resources } = parseManifests(manifests, 'a.yaml')
  assert.equal(compile(resources, { running: [], nodes }).pods.size, 0)
  assert.equal(compile(resources).pods.size, 1)
})
