import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { resource, service } from '../testing/objects.js'
import { dst, plain, short, src, verdict } from '../testing/scene.js'

/*
 * What the engine does not read must not end as an allow.
 */

function object(apiVersion: string, kind: string, key: string, spec: object = {}): Resource {
  const [namespace, name = ''] = key.includes('/') ? key.split('/') : [undefined, key]
  return resource({
    apiVersion,
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec,
  } as KubernetesObject)
}

test('a kind of network policy that is not read may isolate, whoever enforces it', () => {
  for (const [apiVersion, kind, key] of [
    ['cilium.io/v2alpha1', 'CiliumMeshNetworkPolicy', 'p'],
    ['policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', 'p'],
    ['policy.networking.k8s.io/v1alpha1', 'AdminNetworkPolicy', 'p'],
    ['policy.networking.k8s.io/v1alpha1', 'BaselineAdminNetworkPolicy', 'p'],
    ['projectcalico.org/v3', 'NetworkPolicy', 'app/p'],
    ['projectcalico.org/v3', 'GlobalNetworkPolicy', 'p'],
    ['crd.antrea.io/v1beta1', 'ClusterNetworkPolicy', 'p'],
  ] as const) {
    const of = verdict([object(apiVersion, kind, key)], src)
    assert.equal(short(of).code, 'not-modelled', `${apiVersion} ${kind}`)
    const step = of.steps.find(({ outcome }) => outcome === 'unknown')
    assert.equal(step?.policy, key === 'p' ? `${kind}/p` : `${kind}/app/p`)
    assert.equal(step?.engine, apiVersion.startsWith('cilium') ? 'cilium' : 'kubernetes')
  }
  const elsewhere = object('projectcalico.org/v3', 'NetworkPolicy', 'other/p')
  assert.equal(verdict([elsewhere], src).outcome, 'allow')
})

test('C.8 a host or address that a ServiceEntry names may lead through a waypoint', () => {
  const entry = object('networking.istio.io/v1', 'ServiceEntry', 'app/github', {
    hosts: ['api.github.com', '*.example.org'],
    addresses: ['240.240.0.1', '198.51.100.0/24'],
  })
  for (const to of [
    { host: 'api.github.com', ip: '140.82.121.6' },
    { host: 'API.github.com.' },
    { host: 'a.b.example.org' },
    { ip: '240.240.0.1' },
    { ip: '198.51.100.9' },
  ]) {
    const of = verdict([entry], src, to, 443)
    assert.deepEqual([of.outcome, short(of).code], ['unknown', 'not-modelled'], JSON.stringify(to))
    assert.equal(of.steps.find(({ outcome }) => outcome === 'unknown')?.policy, 'ServiceEntry/app/github')
    assert.equal(verdict([entry], plain, to, 443).outcome, 'allow', 'a caller outside the mesh does not know of it')
  }
  for (const to of [{ host: 'github.com' }, { host: 'example.org' }, { ip: '198.51.101.9' }]) {
    assert.equal(verdict([entry], src, to, 443).outcome, 'allow', JSON.stringify(to))
  }
  // A name that only the entry has.
  const named = object('networking.istio.io/v1', 'ServiceEntry', 'app/db', { hosts: ['legacy-db'] })
  assert.equal(verdict([named], src, { host: 'legacy-db' }, 443).outcome, 'unknown')
})

test('Cilium sends what it is told to send elsewhere', () => {
  const local = object('cilium.io/v2', 'CiliumLocalRedirectPolicy', 'app/local', {
    redirectFrontend: { serviceMatcher: { serviceName: 'dst', namespace: 'app' } },
  })
  const address = object('cilium.io/v2', 'CiliumLocalRedirectPolicy', 'app/local', {
    redirectFrontend: { addressMatcher: { ip: '169.254.169.254' } },
  })
  const envoy = object('cilium.io/v2', 'CiliumEnvoyConfig', 'app/envoy', { services: [{ name: 'dst' }] })
  const toService = { service: 'app/dst' }
  assert.equal(verdict([local], src, toService, 80).outcome, 'unknown')
  assert.equal(verdict([envoy], src, toService, 80).outcome, 'unknown')
  assert.equal(verdict([local, envoy], src, dst).outcome, 'allow', 'the pod itself is called as before')
  assert.equal(verdict([address], src, { ip: '169.254.169.254' }, 80).outcome, 'unknown')
  assert.equal(verdict([address], src, toService, 80).outcome, 'allow')
})

test('externalIPs are taken over by the Service, and ztunnel does not know of it', () => {
  const taken = resource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'dst', namespace: 'app' },
    spec: { selector: { app: 'dst' }, ports: [{ port: 80 }], externalIPs: ['198.51.100.7'] },
  })
  assert.equal(verdict([taken], src, { ip: '198.51.100.7' }, 80).outcome, 'unknown')
  assert.equal(verdict([taken], plain, { ip: '198.51.100.7' }, 80).outcome, 'unknown')
  assert.equal(verdict([taken], src, { ip: '198.51.100.8' }, 80).outcome, 'allow')
})

test('a Service whose pods are of a kind that is not modelled is not known to be empty', () => {
  const job = object('batch/v1', 'Job', 'app/migrate', { template: {} })
  const lonely = service('app/migrate')
  const to = { service: 'app/migrate' }
  assert.equal(verdict([lonely, job], src, to, 80).outcome, 'unknown')
  assert.equal(short(verdict([lonely], src, to, 80)).code, 'network.no-endpoint')
  const elsewhere = object('batch/v1', 'Job', 'other/migrate', { template: {} })
  assert.equal(short(verdict([lonely, elsewhere], src, to, 80)).code, 'network.no-endpoint')
  // A Job beside a Deployment of the same name hides nothing.
  assert.equal(verdict([object('batch/v1', 'Job', 'app/dst')], src).outcome, 'allow')
})
