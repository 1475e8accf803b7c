import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { changedResource } from '@bulkhead/resources/made'
import { compile, type Flow, judge, type Snapshot } from '@bulkhead/verdict'
import { admit, compileAdmission } from '@bulkhead/verdict/admission'
import { after } from '../testing/asking.js'
import { admitting, k8s, made } from '../testing/k8s.js'

/*
 * What random descriptions seldom come upon: how narrow each thing is that a set has beside its callers and calls.
 */

const sleep = { namespace: 'shop', name: 'sleep', methods: ['GET'] }
const byWaypoint = {
  name: 'worker-app',
  namespace: 'demo',
  image: 'localhost/bulkhead/probe:0.1.0',
  port: 8080,
  callers: [sleep],
}
const itself = { workload: 'demo/worker-app' }
const itsWaypoint = { workload: 'demo/worker-app-waypoint' }
const outcomeIn = (snapshot: Snapshot, flow: Flow): string => judge(flow, snapshot).outcome
const isRun = ({ layer, kind }: Resource): boolean => layer === undefined || ['Gateway', 'ConfigMap'].includes(kind)

test('names are asked of kube-dns alone, and istiod for configuration alone, by 20-network alone', () => {
  const own = made(byWaypoint).resources.filter((one) => isRun(one) || one.layer === '20-network')
  const snapshot = compile([...k8s.filter(({ layer }) => layer === undefined), ...own])
  const dns = (label: string): Flow['to'] => ({
    namespace: 'kube-system',
    labels: { 'k8s-app': label },
    serviceAccount: label,
    mesh: false,
    ports: [{ port: 53, protocol: 'UDP' }],
  })
  for (const from of [itself, itsWaypoint]) {
    const asked = { from, port: 53, protocol: 'UDP', dns: { query: 'postgres.demo.svc.cluster.local' } } as const
    assert.equal(outcomeIn(snapshot, { ...asked, to: dns('kube-dns') }), 'allow')
    assert.equal(outcomeIn(snapshot, { ...asked, to: dns('tunnel') }), 'deny')
  }
  const istiod = (port: number): Flow => ({
    from: itsWaypoint,
    to: {
      namespace: 'istio-system',
      labels: { app: 'istiod' },
      serviceAccount: 'istiod',
      mesh: false,
      ports: [{ port }],
    },
    port,
  })
  assert.equal(outcomeIn(snapshot, istiod(15012)), 'allow')
  assert.equal(outcomeIn(snapshot, istiod(15010)), 'deny')
})

test('a gateway among the callers goes by the waypoint, and may ask for no more than is listed', () => {
  const gateway = {
    ...sleep,
    namespace: 'demo',
    name: 'hello-gateway-istio',
    labels: { 'gateway.networking.k8s.io/gateway-name': 'hello-gateway' },
  }
  const snapshot = after(made({ ...byWaypoint, callers: [gateway] }).resources)
  const asks = (method: string, to: Flow['to'] = { service: 'demo/worker-app' }): string =>
    outcomeIn(snapshot, {
      from: { workload: 'demo/hello-gateway-istio' },
      to,
      port: 8080,
      http: { method, path: '/', host: 'worker-app.demo' },
    })
  assert.equal(asks('GET'), 'allow')
  assert.equal(asks('DELETE'), 'deny')
  assert.equal(asks('GET', itself), 'deny')
})

test('a Service that is put behind its waypoint tomorrow is closed, by 60-requests alone', () => {
  const tomorrow = `apiVersion: v1
kind: Service
metadata: { name: tomorrow, namespace: demo, labels: { istio.io/use-waypoint: worker-app-waypoint } }
spec: { selector: { app: hello-app }, ports: [{ name: http, port: 8000, targetPort: http }] }
`
  const { resources, diagnostics } = parseManifests(tomorrow, 'tomorrow.yaml')
  assert.deepEqual(diagnostics, [])
  const own = made(byWaypoint).resources.filter((one) => isRun(one) || one.layer === '60-requests')
  const there = [...k8s.filter(({ layer }) => layer === undefined), ...resources]
  const flow: Flow = {
    from: { workload: 'shop/sleep' },
    to: { service: 'demo/tomorrow' },
    port: 8000,
    http: { method: 'GET', path: '/', host: 'tomorrow.demo' },
  }
  assert.equal(outcomeIn(compile([...there, ...own]), flow), 'deny')
  const without = own.filter(({ name }) => name !== 'worker-app-waypoint-allow-nothing')
  assert.equal(without.length, own.length - 1)
  assert.equal(outcomeIn(compile([...there, ...without]), flow), 'allow', 'the test can see it')
})

test('its account is for pods that wear its name, whatever else they wear', () => {
  const { resources } = made({ ...byWaypoint, callers: [] })
  const policies = compileAdmission([...k8s, ...admitting, ...resources])
  const deployment = resources.find(({ kind }) => kind === 'Deployment') ?? assert.fail('no Deployment')
  const wearing = (app: string) => {
    const text = JSON.stringify(deployment.object).replaceAll('"app":"worker-app"', `"app":"${app}"`)
    return admit({ operation: 'CREATE', object: changedResource(deployment, JSON.parse(text)) }, policies)
  }
  assert.equal(wearing('worker-app').outcome, 'allow')
  const { outcome, refusal } = wearing('another')
  assert.equal(outcome, 'deny')
  assert.match(refusal?.message ?? '', /service-account-of-its-own failed: ServiceAccount worker-app is for pods with/)
})
