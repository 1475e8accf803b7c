import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { changed, type Draft, hardened, limits, named } from './testing/admission-drafts.js'
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
  // The last one is let in by the policy that it would be an exception of, if an init container with that image were one; it is refused since no exception is for init containers.
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
