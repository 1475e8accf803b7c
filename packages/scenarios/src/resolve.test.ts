import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Pod, ServiceModel } from '@bulkhead/verdict'
import { resolveAttempt } from './resolve.js'
import type { Attempt } from './types.js'

const pod = (workload: string, ip: string): Pod => ({
  key: `${workload}-1`,
  namespace: 'shop',
  name: `${workload.slice(5)}-1`,
  workload,
  labels: { app: workload.slice(5) },
  serviceAccount: 'x',
  identity: 'spiffe://cluster.local/ns/shop/sa/x',
  mesh: true,
  hostNetwork: false,
  node: 'n',
  ip,
  ports: [],
})
const webApi = pod('shop/web-api', '10.244.1.2')
const service: ServiceModel = {
  key: 'shop/web-api',
  namespace: 'shop',
  name: 'web-api',
  clusterIP: '10.96.0.2',
  ports: [],
  endpoints: [webApi.key],
}
const directory = { pods: new Map([[webApi.key, webApi]]), services: new Map([[service.key, service]]) }

describe('whom an attempt dials', () => {
  const cases: readonly (readonly [name: string, from: string, attempt: Attempt, host: string])[] = [
    [
      'a Service of its own namespace',
      'shop/sleep',
      { kind: 'http', to: { service: 'shop/web-api' }, port: 80 },
      'web-api',
    ],
    ['a Service of another', 'demo/sleep', { kind: 'http', to: { service: 'shop/web-api' }, port: 80 }, 'web-api.shop'],
    ['a workload', 'shop/sleep', { kind: 'http', to: { workload: 'shop/web-api' }, port: 80 }, '10.244.1.2'],
    [
      'a pod by labels',
      'shop/sleep',
      { kind: 'http', to: { namespace: 'shop', labels: { app: 'web-api' } }, port: 80 },
      '10.244.1.2',
    ],
    ['an address', 'shop/sleep', { kind: 'http', to: { ip: '127.0.0.1' }, port: 80 }, '127.0.0.1'],
    ['a host', 'shop/sleep', { kind: 'tls', to: { host: 'a.example' }, port: 443 }, 'a.example'],
    [
      'the HBONE port behind a Service',
      'shop/sleep',
      { kind: 'hbone', to: { service: 'shop/web-api' }, port: 80 },
      '10.244.1.2',
    ],
    [
      'a private socket',
      'shop/sleep',
      { kind: 'socket', to: { workload: 'shop/web-api' }, port: 80 },
      '/run/shop/web-api-1/80',
    ],
  ]
  for (const [name, from, attempt, host] of cases) {
    it(name, async () => {
      const socketPath = (key: string, port: number): string => `/run/${key}/${port}`
      const resolved = await resolveAttempt(from, attempt, directory, { socketPath, lateResetMs: 700 })
      assert.equal(resolved.host, host)
      assert.equal(resolved.lateResetMs, 700)
    })
  }

  it('with a stolen certificate of whom it names', async () => {
    const attempt: Attempt = {
      kind: 'hbone',
      to: { workload: 'shop/web-api' },
      port: 80,
      certificate: 'stolen',
      as: 'shop/sleep',
    }
    const asked: string[] = []
    const loot = async (kind: string, identity: string) => {
      asked.push(`${kind} ${identity}`)
      return { certificate: 'PEM' }
    }
    const resolved = await resolveAttempt('shop/outsider', attempt, directory, { loot })
    assert.equal(resolved.claim, 'spiffe://cluster.local/ns/shop/sa/sleep')
    assert.deepEqual(resolved.material, { certificate: 'PEM' })
    assert.deepEqual(asked, ['stolen spiffe://cluster.local/ns/shop/sa/sleep'])
  })

  const missing: readonly (readonly [attempt: Attempt, says: RegExp])[] = [
    [{ kind: 'http', to: { service: 'shop/nope' }, port: 80 }, /no Service "shop\/nope"/],
    [{ kind: 'http', to: { workload: 'shop/nope' }, port: 80 }, /"shop\/nope" has no pod/],
    [{ kind: 'http', to: { node: 'n' }, port: 80 }, /nothing to dial/],
    [{ kind: 'socket', to: { workload: 'shop/web-api' }, port: 80 }, /no private socket/],
    [
      { kind: 'hbone', to: { workload: 'shop/web-api' }, port: 80, certificate: 'expired', as: 'shop/sleep' },
      /no certificate to be expired/,
    ],
  ]
  for (const [attempt, says] of missing) {
    it(`is said when it is not there: ${JSON.stringify(attempt.to)} by ${attempt.kind}`, async () => {
      await assert.rejects(resolveAttempt('shop/sleep', attempt, directory), says)
    })
  }
})
