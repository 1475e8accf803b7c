import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { checkDuplicates, checkReferences, type Resource } from '@bulkhead/resources'
import { changedResource } from '@bulkhead/resources/made'
import { gatewayObjects } from '@bulkhead/verdict'
import { admit, compileAdmission, requesterOf } from '@bulkhead/verdict/admission'
import { podOf } from './testing/hardening/pods.js'
import { podRules } from './testing/hardening/rules.js'
import { root } from './testing/in-force.js'
import { noKubectl } from './testing/kubectl.js'
import { allLayers, combinations, resources, snapshotWith, wrongWith } from './testing/repository.js'
import { allowedBy, imagesIn, outcomesOn, registry, stackOf, writtenDownBy } from './testing/stacks.js'

/*
 * k8s/stacks/{scale,gke,eks,aks}: that whatever they change, the walls are those of k8s/.
 */

const skip = await noKubectl()
const names = ['scale', 'gke', 'eks', 'aks'] as const
const managed = names.slice(1)
const read =
  skip === false
    ? await Promise.all(names.map(async (name) => [name, await stackOf(join(root, 'k8s/stacks', name))] as const))
    : []
const stacks = new Map(read)
const stack = (name: string): readonly Resource[] => stacks.get(name as (typeof names)[number]) ?? assert.fail(name)
const imagesOf = (name: string): string => (name === 'scale' ? 'localhost/bulkhead' : registry)

const sound = new Set(checkReferences(resources).map(({ message }) => message))

describe('the stacks beside the one for kind', { skip }, () => {
  for (const name of names) {
    it(`${name}: everything refers to something that is there, once, and nothing of k8s/ is lost but what is replaced`, () => {
      assert.deepEqual(checkDuplicates(stack(name)), [])
      const wrong = checkReferences(stack(name)).map(({ message }) => message)
      assert.deepEqual(
        wrong.filter((message) => !sound.has(message)),
        [],
      )
      const there = new Set(stack(name).map(({ id }) => id))
      const lost = resources.filter(({ id }) => !there.has(id)).map(({ id }) => id)
      assert.deepEqual(lost, name === 'scale' ? [] : ['NetworkPolicy/gthulhu/manager-to-kube-apiserver'])
    })

    it(`${name}: what is meant to work does, whatever layers are on`, () => {
      // Where the API server is outside, the way there is Cilium's to open: a door in the wall, as hello-app's is.
      const some = combinations.filter(
        (on) => name === 'scale' || on.includes('30-cilium') || !on.includes('20-network'),
      )
      assert.ok(some.length >= combinations.length / 2)
      for (const on of some)
        assert.deepEqual(wrongWith(on, snapshotWith(on, {}, stack(name))), [], `${name} with ${on.join(' and ')}`)
    })
  }

  it('scale: its walls are those of k8s/, to the letter, but for what istiod is told of its pods', () => {
    const walls = resources.filter(({ layer }) => layer !== undefined)
    assert.ok(walls.length > 100)
    const own = new Map(stack('scale').map(({ id, object }) => [id, object]))
    const other = walls.filter(({ id, object }) => !isDeepStrictEqual(own.get(id), object)).map(({ id }) => id)
    assert.deepEqual(other.sort(), [
      'ConfigMap/demo/hello-gateway-service',
      'ConfigMap/gthulhu/gthulhu-gw-service',
      'ConfigMap/gthulhu/waypoint-pods',
      'ConfigMap/shop/shop-gateway-service',
      'ConfigMap/shop/waypoint-pods',
    ])
  })

  it('scale and gke: every scenario comes out as on k8s/, but that another wall keeps the manager from what is outside', () => {
    const expected = outcomesOn(resources, allLayers, 'localhost/bulkhead')
    assert.ok(Object.keys(expected).length > 200)
    assert.deepEqual(outcomesOn(stack('scale'), allLayers, imagesOf('scale')), expected)
    const outcomes = outcomesOn(stack('gke'), allLayers, imagesOf('gke'))
    const without = (text = ''): string => text.replace(' NetworkPolicy/gthulhu/manager-to-kube-apiserver', '')
    const different = Object.keys(expected).filter((id) => outcomes[id] !== without(expected[id]))
    assert.deepEqual(different, ['manager-to-an-undeclared-host'])
    const [id = ''] = different
    assert.match(expected[id] ?? '', /^stopped .* CiliumNetworkPolicy\/gthulhu\/no-world$/)
    assert.match(outcomes[id] ?? '', /^stopped .* NetworkPolicy\/gthulhu\/default-deny /)
  })

  for (const name of ['eks', 'aks'])
    it(`${name}: its walls are those of gke, to the letter`, () => {
      const wallsOf = (of: string): readonly object[] =>
        stack(of)
          // What a load balancer is told differs by whose it is.
          .filter(({ kind, layer }) => layer !== undefined && kind !== 'Gateway')
          .map(({ object }) => object)
      assert.ok(wallsOf(name).length > 100)
      assert.deepEqual(wallsOf(name), wallsOf('gke'))
    })
})

describe('what may be created on a stack', { skip }, () => {
  const istiod = requesterOf('system:serviceaccount:istio-system:istiod')

  for (const name of names)
    it(`${name}: every object of it is, and what istiod makes of its Gateways`, () => {
      const proxies = gatewayObjects(stack(name))
      const policies = compileAdmission([...stack(name), ...proxies])
      assert.deepEqual(policies.notModelled, [])
      const asked = [
        ...stack(name).map((object) => admit({ operation: 'CREATE', object }, policies)),
        ...proxies.map((object) => admit({ operation: 'CREATE', object, user: istiod }, policies)),
      ]
      const pods = asked.flatMap(({ pod }) => pod ?? [])
      assert.ok(pods.length >= 27)
      const refused = [...asked, ...pods].filter(({ outcome }) => outcome !== 'allow')
      assert.deepEqual(
        refused.map(({ object, refusal }) => `${object.id}: ${refusal?.message}`),
        [],
      )
    })

  it('is exactly its images: none of ours under another name', () => {
    for (const name of managed) {
      const policies = compileAdmission(stack(name))
      const written = JSON.stringify(stack(name).map(({ object }) => object))
      assert.doesNotMatch(written, /localhost\//)
      assert.deepEqual(allowedBy(stack(name)), imagesIn([...stack(name), ...gatewayObjects(stack(name))]))
      assert.deepEqual(writtenDownBy(stack(name)), allowedBy(stack(name)))
      const sleep = stack(name).find(({ id }) => id === 'Deployment/shop/sleep') ?? assert.fail('no sleep')
      const from = (images: string): Resource =>
        changedResource(sleep, JSON.parse(JSON.stringify(sleep.object).replaceAll(registry, images)))
      const outcomeOf = (object: Resource): string => admit({ operation: 'CREATE', object }, policies).outcome
      assert.deepEqual([registry, 'localhost/bulkhead', 'registry.example/other'].map(from).map(outcomeOf), [
        'allow',
        'deny',
        'deny',
      ])
    }
  })
})

describe('what may be more than one', { skip }, () => {
  const scaled = [
    ...['demo/hello-app', 'gthulhu/gthulhu-manager', 'manifest-gen/manifest-gen'],
    ...['shop/purchase-history-v1', 'shop/recommendation', 'shop/web-api'],
  ].map((id): string => `Deployment/${id}`)

  for (const name of names)
    it(`${name}: has two replicas at least, a budget and a spread; the databases and the probes have one`, () => {
      const held = stack(name).flatMap((one) => podOf(one) ?? [])
      const minimum = new Map(
        stack(name).flatMap(({ kind, namespace, object }) => {
          if (kind !== 'HorizontalPodAutoscaler') return []
          const { spec } = object as typeof object & { readonly spec: Autoscaler }
          return [
            [[spec.scaleTargetRef.kind, namespace, spec.scaleTargetRef.name].join('/'), spec.minReplicas] as const,
          ]
        }),
      )
      for (const id of minimum.keys()) assert.ok(scaled.includes(id), id)
      const kept = (rule: string): readonly string[] => {
        const { kept: is } = podRules.find(({ id }) => id === rule) ?? assert.fail(rule)
        return held
          .map((pod) => ({ ...pod, replicas: minimum.get(pod.id) ?? pod.replicas }))
          .filter((pod) => pod.kind === 'Deployment' && is(pod, stack(name)))
          .map(({ id }) => id)
          .sort()
      }
      for (const rule of ['budget', 'replicas', 'spread']) assert.deepEqual(kept(rule), scaled, rule)
    })

  it('is told by one side only: who has an autoscaler says no number', () => {
    for (const { id, object } of stack('scale').filter((one) => scaled.includes(one.id))) {
      const { spec } = object as typeof object & { readonly spec: { readonly replicas?: number } }
      assert.equal(spec.replicas, id === 'Deployment/gthulhu/gthulhu-manager' ? 2 : undefined, id)
    }
  })

  it('is every gateway and every waypoint, which istiod is told', () => {
    const gateways = stack('scale').filter(({ kind }) => kind === 'Gateway')
    const overlays = stack('scale').filter(({ kind }) => kind === 'ConfigMap')
    assert.equal(gateways.length, 5)
    for (const { namespace, object } of gateways) {
      const { spec } = object as typeof object & { readonly spec: { readonly infrastructure: Infrastructure } }
      const overlay = overlays.find(
        (one) => one.namespace === namespace && one.name === spec.infrastructure.parametersRef.name,
      )
      const data = (overlay?.object as { readonly data?: Readonly<Record<string, string>> } | undefined)?.data ?? {}
      assert.deepEqual(
        ['deployment', 'horizontalPodAutoscaler', 'podDisruptionBudget'].filter((key) => key in data).length,
        3,
        `${namespace}/${object.metadata.name}`,
      )
    }
  })
})

interface Autoscaler {
  readonly minReplicas: number
  readonly scaleTargetRef: { readonly kind: string; readonly name: string }
}
interface Infrastructure {
  readonly parametersRef: { readonly name: string }
}
