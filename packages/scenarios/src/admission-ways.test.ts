import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { requesterOf } from '@bulkhead/verdict/admission'
import {
  ask,
  badOf,
  generated,
  goodOf,
  istiod,
  load,
  type Plain,
  policiesWith,
  policyNames,
  refusedBy,
  told,
  withObject,
} from './testing/admission-layer.js'
import { resources } from './testing/repository.js'

/*
 * 10-admission as a whole: that all of ours gets in, what of the attacks does, and the ways around it.
 */

const policies = policiesWith()
const podsOf = (some: readonly Resource[]): readonly Resource[] => some.filter(({ kind }) => kind === 'Pod')
const named = (id: string): Resource =>
  [...resources, ...generated].find((one) => one.id === id) ?? assert.fail(`no ${id}`)
/** As it is written, with a change; what is there is updated. */
function changed(id: string, change: (draft: Draft) => void): Resource {
  const draft = structuredClone(named(id).object) as Draft
  change(draft)
  return withObject(named(id), draft)
}

interface Draft extends KubernetesObject {
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PodDraft & { template: { metadata: { labels: Record<string, string> }; spec: PodDraft } }
}
interface PodDraft {
  serviceAccountName: string
  securityContext?: Plain
  containers: { image: string; securityContext?: Plain; volumeMounts?: { name: string; readOnly?: boolean }[] }[]
  ephemeralContainers?: unknown[]
  initContainers?: unknown[]
  volumes?: unknown[]
}

describe('what is ours', () => {
  it('gets in, all of it', () => {
    const all = resources.filter(({ layer }) => layer !== '10-admission')
    assert.ok(all.length > 150, `${all.length} objects`)
    for (const object of all) {
      const admission = ask(object, policies, { operation: 'CREATE' })
      assert.deepEqual(refusedBy(admission), [], `${object.id}: ${told(admission)}`)
      // The node's /proc, which no level of Pod Security but `privileged` knows.
      const warned = object.id === 'DaemonSet/gthulhu-node/gthulhu-scheduler' ? 1 : 0
      assert.equal(admission.warnings.length, warned, admission.warnings.join())
    }
  })

  it('gets in when istiod asks: what it makes of each Gateway', () => {
    const deployments = generated.filter(({ kind }) => kind === 'Deployment').map(({ id }) => id)
    assert.deepEqual(deployments.toSorted(), [
      'Deployment/demo/hello-gateway-istio',
      'Deployment/gthulhu/gthulhu-gw-istio',
      'Deployment/gthulhu/waypoint',
      'Deployment/shop/shop-gateway-istio',
      'Deployment/shop/waypoint',
    ])
    for (const object of generated) {
      const admission = ask(object, policies, { operation: 'CREATE', user: istiod })
      assert.deepEqual([refusedBy(admission), admission.warnings], [[], []], `${object.id}: ${told(admission)}`)
    }
  })

  it('may be changed where nothing forbids it: a label, a replica more, an image of the list', () => {
    for (const object of resources.filter(({ kind }) => ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)))
      assert.deepEqual(
        refusedBy(
          ask(
            changed(object.id, ({ metadata }) => {
              metadata.annotations = { 'example.com/note': 'x' }
            }),
            policies,
          ),
        ),
        [],
        object.id,
      )
  })
})

describe('the manifests of the attacks', async () => {
  const attacks = await load('k8s/attacks')
  const refused: Readonly<Record<string, readonly string[]>> = {
    'Pod/gthulhu-node/host-network-pod': ['disallow-host-access'],
    'Pod/gthulhu/manager-account-thief': ['service-account-of-its-own'],
    'Pod/shop/web-api-account-thief': ['service-account-of-its-own'],
  }
  it('are refused where admission is the wall, and nowhere else', () => {
    const here = policiesWith(attacks)
    const found = attacks.flatMap((object) => {
      const by = refusedBy(ask(object, here))
      return by.length === 0 ? [] : [[object.id, by]]
    })
    const known = Object.fromEntries(found)
    for (const [id, by] of Object.entries(refused))
      if (attacks.some((one) => one.id === id)) assert.deepEqual(known[id], by, id)
    for (const id of ['label-thief', 'hello-app-thief', 'np-allow-mgr', 'np-deny-other', 'newcomer'])
      assert.deepEqual(
        found.filter(([name]) => String(name).endsWith(`/${id}`)),
        [],
        id,
      )
  })
})

/** A bad pod in the template of something else. */
function inside(pod: Resource, kind: string): Resource {
  const { metadata, spec } = pod.object as Draft
  const template = { metadata: { labels: metadata.labels, annotations: metadata.annotations }, spec }
  const group = kind === 'ReplicationController' ? 'v1' : /Job$/.test(kind) ? 'batch/v1' : 'apps/v1'
  const own: Plain =
    kind === 'CronJob'
      ? {
          schedule: '0 3 * * *',
          jobTemplate: { spec: { template: { ...template, spec: { ...spec, restartPolicy: 'Never' } } } },
        }
      : kind === 'ReplicationController'
        ? { selector: metadata.labels, template }
        : { selector: { matchLabels: metadata.labels }, template, ...(kind === 'StatefulSet' && { serviceName: 'x' }) }
  return withObject(pod, {
    apiVersion: group,
    kind,
    metadata: { name: metadata.name, namespace: metadata.namespace },
    spec: own,
  } as KubernetesObject)
}

describe('a bad pod', async () => {
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob', 'ReplicationController']
  const looksAtReplicationControllers = (policy: string): boolean =>
    JSON.stringify(resources.find(({ id }) => id === `ValidatingPolicy/${policy}`)?.object).includes(
      'replicationcontrollers',
    )

  for (const policy of policyNames) {
    const [good, bad] = [await goodOf(policy), podsOf(await badOf(policy))]
    const here = policiesWith(good)
    if (bad.length === 0) continue
    it(`of ${policy} is refused in every kind that makes pods, before there is a pod`, () => {
      for (const pod of bad)
        for (const kind of kinds) {
          if (kind === 'ReplicationController' && !looksAtReplicationControllers(policy)) continue
          const { pod: _, ...own } = ask(inside(pod, kind), here)
          assert.ok(refusedBy(own).includes(policy), `${pod.id} as ${kind}: ${told(own)}`)
        }
    })
  }

  it('of what a container may not be is refused as a debug container, too', async () => {
    const ofContainers = policyNames.filter((policy) =>
      JSON.stringify(resources.find(({ id }) => id === `ValidatingPolicy/${policy}`)?.object).includes(
        'pods/ephemeralcontainers',
      ),
    )
    assert.ok(ofContainers.length >= 8, ofContainers.join(' '))
    for (const policy of ofContainers) {
      const good = await goodOf(policy)
      const here = policiesWith(good)
      const refused = podsOf(await badOf(policy)).filter((pod) => {
        const { metadata, spec } = pod.object as Draft
        const [container] = spec.containers
        const before = {
          ...spec,
          containers: [
            { ...container, image: 'localhost/bulkhead/probe:0.1.0', securityContext: hardened, resources: limits },
          ],
        }
        const { initContainers: _, ...rest } = before
        const after = { ...rest, ephemeralContainers: [{ ...container, name: 'debug', resources: undefined }] }
        const object = withObject(pod, { ...pod.object, metadata, spec: after } as KubernetesObject)
        const old = { ...pod.object, spec: rest } as KubernetesObject
        return refusedBy(
          ask(object, here, { operation: 'UPDATE', oldObject: old, subResource: 'ephemeralcontainers' }),
        ).includes(policy)
      })
      assert.ok(refused.length > 0, policy)
    }
  })
})

const hardened = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }
const limits = { limits: { memory: '64Mi' } }

describe('an exception', () => {
  const cases: readonly (readonly [string, string, string, (draft: Draft) => void])[] = [
    [
      'of the scheduler',
      'DaemonSet/gthulhu-node/gthulhu-scheduler',
      'disallow-host-path',
      ({ spec }) => spec.template.spec.volumes?.push({ name: 'more', hostPath: { path: '/var/run' } }),
    ],
    [
      'of the scheduler',
      'DaemonSet/gthulhu-node/gthulhu-scheduler',
      'disallow-host-path',
      ({ spec }) => {
        for (const mount of spec.template.spec.containers[0]?.volumeMounts ?? []) delete mount.readOnly
      },
    ],
    [
      'of the scheduler',
      'DaemonSet/gthulhu-node/gthulhu-scheduler',
      'disallow-host-path',
      ({ spec }) => {
        for (const one of spec.template.spec.containers) one.image = 'localhost/bulkhead/probe:0.1.0'
      },
    ],
    [
      'of the scheduler',
      'DaemonSet/gthulhu-node/gthulhu-scheduler',
      'disallow-host-path',
      ({ spec }) => {
        spec.template.spec.serviceAccountName = 'intruder'
      },
    ],
    [
      'of the scheduler',
      'DaemonSet/gthulhu-node/gthulhu-scheduler',
      'disallow-host-path',
      ({ spec }) => {
        spec.template.metadata.labels['app.kubernetes.io/component'] = 'other'
      },
    ],
    [
      'of the scheduler',
      'DaemonSet/gthulhu-node/gthulhu-scheduler',
      'disallow-host-path',
      ({ spec }) => {
        spec.template.spec.volumes?.push({ name: 'more', csi: { driver: 'x' } })
      },
    ],
    [
      'of the scheduler',
      'DaemonSet/gthulhu-node/gthulhu-scheduler',
      'disallow-host-path',
      ({ spec }) => {
        // Another's user: the node's /proc shows him that one's environment and files.
        spec.template.spec.securityContext = { ...spec.template.spec.securityContext, runAsUser: 10_001 }
      },
    ],
    [
      'of the scheduler',
      'DaemonSet/gthulhu-node/gthulhu-scheduler',
      'disallow-host-path',
      ({ spec }) => {
        for (const one of spec.template.spec.containers) one.securityContext = { ...hardened, runAsUser: 10_001 }
      },
    ],
    [
      'of an outsider',
      'Deployment/shop/outsider',
      'pods-in-the-mesh',
      ({ spec }) => {
        spec.template.metadata.labels.app = 'other'
      },
    ],
    [
      'of an outsider',
      'Deployment/shop/outsider',
      'pods-in-the-mesh',
      ({ spec }) => {
        spec.template.spec.serviceAccountName = 'web-api'
      },
    ],
    [
      'of an outsider',
      'Deployment/shop/outsider',
      'pods-in-the-mesh',
      ({ spec }) => {
        for (const one of spec.template.spec.containers) one.image = 'localhost/bulkhead/chain-service:0.1.0'
      },
    ],
    [
      'of an outsider',
      'Deployment/shop/outsider',
      'pods-in-the-mesh',
      ({ metadata }) => {
        metadata.namespace = 'demo'
      },
    ],
    [
      'of a gateway',
      'Deployment/shop/shop-gateway-istio',
      'pods-in-the-mesh',
      ({ spec }) => {
        spec.template.metadata.labels['gateway.networking.k8s.io/gateway-name'] = 'other'
      },
    ],
    [
      'of a gateway',
      'Deployment/shop/shop-gateway-istio',
      'pods-in-the-mesh',
      ({ spec }) => {
        for (const one of spec.template.spec.containers) one.image = 'localhost/bulkhead/probe:0.1.0'
      },
    ],
    [
      'of a gateway',
      'Deployment/shop/shop-gateway-istio',
      'pods-in-the-mesh',
      ({ spec }) => {
        spec.template.spec.initContainers = [structuredClone(spec.template.spec.containers[0])]
      },
    ],
  ]
  // The last one is let in by the policy that it would be an exception of, if an init container with that image were one; it is refused since none has any.
  for (const [of, id, policy, change] of cases)
    it(`${of} is for what it names alone (${String(change).replace(/\s+/g, ' ').slice(0, 110)})`, () => {
      assert.deepEqual(
        refusedBy(ask(named(id), policies, { operation: 'CREATE', user: istiod })).filter((one) => one === policy),
        [],
      )
      const admission = ask(changed(id, change), policies, { operation: 'CREATE', user: istiod })
      assert.ok(refusedBy(admission).includes(policy), told(admission))
    })
})

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
