import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { requesterOf } from '@bulkhead/verdict/admission'
import { changed, type Draft, hardened, limits, named } from './testing/admission-drafts.js'
import { ask, goodOf, type Plain, policiesWith, refusedBy, withObject } from './testing/admission-layer.js'

/*
 * 10-admission's exceptions: for what they name alone; and what may become of an object that is there.
 */

const policies = policiesWith()

describe('who is excepted', () => {
  /** As the charts make it, as far as policies look. */
  const system = (namespace: string, app: string, account: string, image: string, spec: Plain): Resource =>
    withObject(named('Deployment/shop/sleep'), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: app, namespace, labels: { app, 'k8s-app': app } },
      spec: {
        serviceAccountName: account,
        containers: [{ name: app, image, resources: limits, securityContext: { readOnlyRootFilesystem: true } }],
        ...spec,
      },
    } as KubernetesObject)
  const withContainer = (pod: Resource, securityContext: Plain): Resource => {
    const { spec } = pod.object as Draft
    const [container] = spec.containers
    const containers = [{ ...container, securityContext: { readOnlyRootFilesystem: true, ...securityContext } }]
    return withObject(pod, { ...pod.object, spec: { ...spec, containers } } as KubernetesObject)
  }
  const ztunnel = system('istio-system', 'ztunnel', 'ztunnel', 'docker.io/istio/ztunnel:1.30.4-distroless', {})
  const cni = system('istio-system', 'istio-cni-node', 'istio-cni', 'docker.io/istio/install-cni:1.30.4-distroless', {})
  const [owner, image] = ['local-path-provisioner-service-account', 'docker.io/kindest/local-path-provisioner:v1']
  const provisioner = system('local-path-storage', 'local-path-provisioner', owner, image, {})

  it('has the capabilities that it needs, and no other', () => {
    for (const [pod, needs] of [
      [ztunnel, ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN']],
      [cni, ['NET_ADMIN', 'NET_RAW', 'SYS_PTRACE', 'SYS_ADMIN', 'DAC_OVERRIDE']],
      [provisioner, []],
    ] as const) {
      const adding = (add: readonly string[]) =>
        refusedBy(ask(withContainer(pod, { capabilities: { drop: ['ALL'], add } }), policies))
      assert.deepEqual(adding(needs), [], pod.id)
      // By which whoever is root loads what he likes into the node's kernel.
      assert.ok(adding([...needs, 'SYS_MODULE']).includes('disallow-capabilities'), pod.id)
    }
  })

  it('of kind’s provisioner does not switch off what its runtime gives it', () => {
    for (const unconfined of [{ seccompProfile: { type: 'Unconfined' } }, { appArmorProfile: { type: 'Unconfined' } }])
      assert.ok(refusedBy(ask(withContainer(provisioner, unconfined), policies)).includes('require-seccomp'))
  })

  it('is not excepted with a debug container of whoever may add one', () => {
    for (const pod of [ztunnel, cni, provisioner]) {
      const debug = { name: 'debug', image: 'registry.attacker.example/bulkhead/probe:0.1.0' }
      const { spec } = pod.object as Draft
      const object = withObject(pod, {
        ...pod.object,
        spec: { ...spec, ephemeralContainers: [debug] },
      } as KubernetesObject)
      const request = { operation: 'UPDATE', oldObject: pod.object, subResource: 'ephemeralcontainers' } as const
      assert.deepEqual(refusedBy(ask(pod, policies, request)), [], `${pod.id}: a control`)
      assert.ok(refusedBy(ask(object, policies, request)).includes('allowed-images'), pod.id)
    }
  })

  it('mounts the node’s /proc into no debug container that may write there, or is another user', () => {
    const { metadata, spec } = named('DaemonSet/gthulhu-node/gthulhu-scheduler').object as Draft
    const { namespace = '' } = metadata
    const pod = withObject(named('DaemonSet/gthulhu-node/gthulhu-scheduler'), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'gthulhu-scheduler-x', namespace, labels: spec.template.metadata.labels },
      spec: spec.template.spec,
    } as KubernetesObject)
    const [container] = spec.template.spec.containers
    const debugged = (change: Plain) => {
      const debug = { ...container, name: 'debug', resources: undefined, ...change }
      const own = { ...spec.template.spec, ephemeralContainers: [debug] }
      const object = withObject(pod, { ...pod.object, spec: own } as KubernetesObject)
      const request = { operation: 'UPDATE', oldObject: pod.object, subResource: 'ephemeralcontainers' } as const
      return refusedBy(ask(object, policies, request))
    }
    assert.deepEqual(debugged({}), [])
    assert.deepEqual(debugged({ volumeMounts: [{ name: 'proc', mountPath: '/p' }] }), ['disallow-host-path'])
    assert.deepEqual(debugged({ securityContext: { ...hardened, runAsUser: 10_001 } }), ['disallow-host-path'])
  })

  it('asks for no certificate of the API server in place of a token', () => {
    const sources = [{ podCertificate: { signerName: 'kubernetes.io/kube-apiserver-client-pod', keyType: 'ED25519' } }]
    const change = changed('Deployment/shop/sleep', ({ spec }) => {
      spec.template.spec.volumes = [{ name: 'certificate', projected: { sources } }]
    })
    assert.deepEqual(refusedBy(ask(change, policies)), ['disallow-token'])
  })
})

describe('what is there', () => {
  const pod = async (): Promise<Resource> => {
    const [, , , , own] = await goodOf('service-account-of-its-own')
    return own ?? assert.fail('no pod')
  }

  it('keeps the labels that its account wants', async () => {
    const own = await pod()
    const before = own.object
    const without = withObject(own, { ...before, metadata: { ...before.metadata, labels: {} } } as KubernetesObject &
      Plain)
    assert.deepEqual(refusedBy(ask(without, policies, { operation: 'UPDATE', oldObject: before })), [
      'service-account-of-its-own',
    ])
  })

  it('does not become a gateway’s by a label that is put on later, and a gateway’s does not lose it', () => {
    const label = 'gateway.networking.k8s.io/gateway-name'
    const sleep = changed('Deployment/shop/sleep', ({ spec }) => {
      spec.template.metadata.labels[label] = 'waypoint'
    })
    assert.deepEqual(refusedBy(ask(sleep, policies)), ['gateway-pods-by-istiod-only'])
    const waypoint = named('Deployment/shop/waypoint')
    const bare = changed(waypoint.id, ({ spec }) => {
      delete spec.template.metadata.labels[label]
    })
    assert.ok(
      refusedBy(ask(bare, policies, { operation: 'UPDATE', oldObject: waypoint.object })).includes(
        'gateway-pods-by-istiod-only',
      ),
    )
  })

  it('is not taken out of the mesh by way of a subresource of its namespace', () => {
    const shop = named('Namespace/shop')
    const bare = changed(shop.id, ({ metadata }) => {
      metadata.labels = {}
    })
    for (const subResource of ['status', 'finalize']) {
      const of = (object: Resource) =>
        refusedBy(ask(object, policies, { operation: 'UPDATE', oldObject: shop.object, subResource }))
      assert.deepEqual([of(shop), of(bare)], [[], ['namespaces-in-the-mesh']], subResource)
    }
  })

  it('may have its finalizers and annotations seen to by controllers', () => {
    const waypoint = named('Deployment/shop/waypoint')
    const noted = changed(waypoint.id, ({ metadata }) => {
      metadata.annotations = { 'deployment.kubernetes.io/revision': '2' }
    })
    const user = requesterOf('system:serviceaccount:kube-system:deployment-controller')
    assert.deepEqual(refusedBy(ask(noted, policies, { operation: 'UPDATE', oldObject: waypoint.object, user })), [])
  })
})
