import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile, type Flow, judge, outsideAddress } from '@bulkhead/verdict'
import { k8s, made } from '../testing/k8s.js'

const raw = {
  name: 'worker-app',
  namespace: 'quarry',
  newNamespace: true,
  image: 'localhost/bulkhead/probe:0.1.0',
  port: 8080,
  callers: [{ namespace: 'shop', name: 'sleep', methods: ['GET'] }],
  calls: ['demo/postgres:5432'],
}
const from = { workload: 'quarry/worker-app' }
const tls = (host: string, sni = host): Flow => ({ from, to: { host }, port: 443, tls: { sni } })
const lookUp = (query: string, workload = 'quarry/worker-app'): Flow => ({
  from: { workload },
  to: { service: 'kube-system/kube-dns' },
  port: 53,
  protocol: 'UDP',
  dns: { query },
})

test('hosts outside: those that are listed, by their name, and nothing else out there', () => {
  const { resources } = made({ ...raw, hosts: ['api.github.com', 'api.cloudflare.com'] })
  for (const off of [undefined, '20-network', '50-identity']) {
    const snapshot = compile([...k8s, ...resources].filter(({ layer }) => layer === undefined || layer !== off))
    const outcome = (flow: Flow): string => judge(flow, snapshot).outcome
    for (const host of ['api.github.com', 'api.cloudflare.com']) {
      assert.equal(outcome(tls(host)), 'allow', `${host} without ${off}`)
      assert.equal(outcome(lookUp(host)), 'allow')
    }
    for (const flow of [
      tls('api.github.com', 'drop.attacker.example'),
      tls('drop.attacker.example'),
      tls('drop.attacker.example', 'api.github.com'),
      { from, to: { host: 'api.github.com' }, port: 80 },
      { ...tls('api.github.com'), port: 8443 },
      { from, to: { host: 'api.github.com' }, port: 443, protocol: 'UDP' as const },
      lookUp('drop.attacker.example'),
      lookUp('api.github.com.attacker.example'),
      { from, to: { ip: '169.254.169.254' }, port: 80 },
      { from, to: { node: 'bulkhead-worker' }, port: 10250 },
      { from, to: { service: 'default/kubernetes' }, port: 443 },
      { from, to: { workload: 'demo/hello-app' }, port: 8000 },
      { from: { workload: 'quarry/worker-app-waypoint' }, to: { host: 'api.github.com' }, port: 443 },
    ])
      if (off === undefined || !('workload' in flow.to)) assert.equal(outcome(flow), 'deny', JSON.stringify(flow))
    assert.equal(outcome({ from, to: { workload: 'demo/postgres' }, port: 5432 }), 'allow', 'what it calls inside')
    const thief = { namespace: 'quarry', labels: { app: 'worker-app' }, serviceAccount: 'a-thief' }
    if (off === undefined) assert.equal(outcome({ ...tls('api.github.com'), from: thief }), 'deny', 'labels alone')
  }
})

test('without a host that is listed, none', () => {
  const snapshot = compile([...k8s, ...made(raw).resources])
  assert.equal(judge(tls('api.github.com'), snapshot).outcome, 'deny')
  assert.equal(judge(lookUp('api.github.com'), snapshot).outcome, 'allow')
})

test('a namespace that is made is closed to and for the pod that somebody adds tomorrow, by each of its own walls', () => {
  const { resources } = made(raw)
  const pod = { namespace: 'quarry', labels: { app: 'tomorrow' }, serviceAccount: 'tomorrow' }
  const to = { ...pod, ports: [{ port: 8080 }] }
  const attempts: Readonly<Record<string, readonly Flow[]>> = {
    '20-network': [
      { from: { workload: 'shop/sleep' }, to, port: 8080 },
      { from: { external: outsideAddress }, to, port: 8080 },
      { from: pod, to: { host: 'drop.attacker.example' }, port: 443 },
    ],
    '40-mtls': [{ from: { workload: 'shop/outsider' }, to, port: 8080 }],
    '50-identity': [{ from: { workload: 'shop/sleep' }, to, port: 8080 }],
  }
  const workloads = [...k8s, ...resources].filter(({ layer }) => layer === undefined)
  for (const [layer, flows] of Object.entries(attempts)) {
    const own = resources.filter((one) => one.layer === layer)
    for (const flow of flows) {
      assert.equal(judge(flow, compile([...workloads, ...own])).outcome, 'deny', `${layer}: ${JSON.stringify(flow)}`)
      assert.equal(judge(flow, compile(workloads)).outcome, 'allow', 'without it')
    }
  }
})
