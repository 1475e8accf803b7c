import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KubernetesObject, parseManifests, type Resource } from '@bulkhead/resources'
import { asServed } from '../testing/served.js'
import { liveOf, reconcile } from './index.js'
import type { LiveObject } from './raw.js'
import { sameAsWritten } from './same.js'

const file = (text: string, layer?: string): Resource => {
  const { resources, diagnostics } = parseManifests(text, 'k8s/a.yaml', layer === undefined ? {} : { layer })
  assert.deepEqual(diagnostics, [])
  return resources[0] ?? assert.fail('no object')
}

const policy = file(
  `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop, labels: { part: web } }
spec:
  podSelector: { matchLabels: { app: web } }
  policyTypes: [Ingress]
  ingress: [{ from: [{ podSelector: { matchLabels: { app: sleep } } }], ports: [{ port: 15008 }] }]
`,
  '20-network',
)
const live = (change: (spec: Record<string, unknown>) => unknown, resource = policy): LiveObject => {
  const one = asServed(resource.object)
  return { ...one, spec: change(structuredClone(one.spec) as Record<string, unknown>) }
}
const read = (objects: readonly LiveObject[], secrets: readonly string[] = []) => ({
  objects,
  secrets: new Set(secrets),
  kinds: ['pods'],
})

describe('a live object that is not as its file says', () => {
  const changes: Readonly<Record<string, (spec: Record<string, unknown>) => unknown>> = {
    'a rule more': (spec) => ({ ...spec, ingress: [...(spec.ingress as unknown[]), {}] }),
    'a rule less': (spec) => ({ ...spec, ingress: [] }),
    'a selector that was empty': (spec) => ({ ...spec, podSelector: { matchLabels: { app: 'web', other: 'x' } } }),
    'another type': (spec) => ({ ...spec, policyTypes: ['Ingress', 'Egress'] }),
    'a port of another protocol': (spec) => ({ ...spec, ingress: [{ ports: [{ port: 15008, protocol: 'UDP' }] }] }),
  }
  for (const [name, change] of Object.entries(changes))
    it(`${name}: the live one counts, at a place of its own, in its file's layer`, () => {
      const drifted = reconcile(read([live(change)]), [policy])
      assert.deepEqual(drifted.drifted, ['NetworkPolicy/shop/web'])
      const [resource] = drifted.resources
      assert.equal(resource?.position([]).file, 'live:NetworkPolicy/shop/web')
      assert.equal(resource?.layer, '20-network')
      assert.ok(resource !== undefined && !('status' in resource.object))
    })

  it('a field that the file leaves out and the server fills with something else is a difference', () => {
    const empty = file(
      '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: all, namespace: shop}, spec: {podSelector: {}}}',
    )
    assert.equal(sameAsWritten(empty.object, asServed(empty.object)), true)
    assert.equal(
      sameAsWritten(
        empty.object,
        live((spec) => ({ ...spec, policyTypes: ['Egress'] }), empty),
      ),
      false,
    )
    assert.equal(
      sameAsWritten(
        empty.object,
        live((spec) => ({ ...spec, podSelector: { matchLabels: { a: 'b' } } }), empty),
      ),
      false,
    )
  })

  it('a label that decides is a difference; one that the server writes is none', () => {
    const namespace = file(
      '{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}}',
    )
    const one = asServed(namespace.object)
    assert.equal(sameAsWritten(namespace.object, one), true)
    const labels = { ...one.metadata.labels, 'pod-security.kubernetes.io/enforce': 'privileged' }
    assert.equal(sameAsWritten(namespace.object, { ...one, metadata: { ...one.metadata, labels } }), false)
    assert.equal(sameAsWritten(namespace.object, { ...one, metadata: { ...one.metadata, labels: {} } }), false)
  })

  it('pods that were started again are those of the file, and other annotations are none of its', () => {
    for (const written of ['', ', annotations: {a: b}']) {
      const web = file(
        `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}${written}}, spec: {containers: [{name: c, image: i}]}}}}`,
      )
      const own = written === '' ? {} : { a: 'b' }
      const withNotes = (notes: object) =>
        live((spec) => {
          const { metadata, ...rest } = spec.template as { readonly metadata: object }
          return { ...spec, template: { ...rest, metadata: { ...metadata, annotations: { ...own, ...notes } } } }
        }, web)
      const restarted = { 'kubectl.kubernetes.io/restartedAt': '2026-11-22T06:00:00Z' }
      assert.equal(sameAsWritten(web.object, withNotes(restarted)), true)
      assert.equal(sameAsWritten(web.object, withNotes({ ...restarted, 'istio.io/x': 'y' })), false)
    }
  })

  it('an amount in another form is the same amount', () => {
    const pod = file(
      '{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, image: i, resources: {limits: {cpu: "0.5", memory: 1024Mi}}}]}}',
    )
    const withLimits = (limits: object) =>
      live((spec) => ({ ...spec, containers: [{ ...(spec.containers as object[])[0], resources: { limits } }] }), pod)
    assert.equal(sameAsWritten(pod.object, withLimits({ cpu: '500m', memory: '1Gi' })), true)
    assert.equal(sameAsWritten(pod.object, withLimits({ cpu: '501m', memory: '1Gi' })), false)
  })
})

describe('what is on a cluster and in no file, or the other way round', () => {
  it('a policy that somebody put there counts; a file without a live object does not', () => {
    const foreign = asServed({
      ...policy.object,
      metadata: { name: 'foreign', namespace: 'elsewhere' },
    } as KubernetesObject)
    const { resources, missing } = liveOf(read([foreign]), [policy])
    assert.deepEqual(missing, ['NetworkPolicy/shop/web'])
    assert.deepEqual(
      resources.map(({ id, layer }) => [id, layer]),
      [['NetworkPolicy/elsewhere/foreign', undefined]],
    )
  })

  it('charts keep policies of their own, which are nobody else s matter', () => {
    const own = asServed({
      ...policy.object,
      metadata: { name: 'kyverno', namespace: 'kyverno', labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
    } as KubernetesObject)
    assert.deepEqual(reconcile(read([own]), []).resources, [])
  })

  it('what our reader does not take is told, with why', () => {
    const odd = live((spec) => ({ ...spec, ofTomorrow: true }))
    const { unread, resources } = reconcile(read([odd]), [policy])
    assert.deepEqual(resources, [])
    assert.equal(unread[0]?.id, 'NetworkPolicy/shop/web')
    assert.match(unread[0]?.why ?? '', /ofTomorrow/)
  })

  it('of a Secret it is enough that it is there', () => {
    const secret = file('{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: shop}, type: Opaque}')
    assert.deepEqual(reconcile(read([], ['shop/key']), [secret]).missing, [])
    assert.deepEqual(reconcile(read([]), [secret]).missing, ['Secret/shop/key'])
  })

  it('pods that have ended, leave, or have no address are not there', () => {
    const pod = (name: string, metadata: object, status: object): LiveObject => ({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', ...metadata } },
      ...{ spec: { nodeName: 'n', containers: [] }, status },
    })
    const up = { phase: 'Running', podIP: '10.0.0.1' }
    const owner = {
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web-7d', controller: true }],
      labels: { 'pod-template-hash': '7d' },
    }
    const { running } = reconcile(
      read([
        pod('up', owner, up),
        pod('done', {}, { ...up, phase: 'Succeeded' }),
        pod('leaving', { deletionTimestamp: 'now' }, up),
        pod('waiting', {}, { phase: 'Pending' }),
      ]),
      [],
    )
    assert.deepEqual(
      running.map(({ resource, workload, ip }) => [resource.id, workload, ip]),
      [['Pod/shop/up', 'web', '10.0.0.1']],
    )
  })
})
