import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseManifests } from '@bulkhead/resources'
import { type Flow, type FlowDestination, judge, type Verdict } from '@bulkhead/verdict'
import { resources, snapshotWith } from './testing/repository.js'

/*
 * Each wall by itself, over all pods: what it closes where nothing else stands, and for whom it has a door. With all of them on, one
 * hides what another would have let through.
 */

const walled = ['demo', 'gthulhu', 'gthulhu-node', 'manifest-gen', 'shop']
const workloadsOf = ({ pods }: ReturnType<typeof snapshotWith>): readonly string[] => [
  ...new Set([...pods.values()].map(({ workload }) => workload)),
]
const policyOf = ({ steps, decidedBy }: Verdict): string | undefined => {
  const { policy, isolatedBy } = steps[decidedBy?.step ?? -1] ?? {}
  return policy ?? isolatedBy?.map((one) => one.policy).join(' ')
}

describe('30-cilium alone', () => {
  const snapshot = snapshotWith(['30-cilium', '60-requests', '70-ingress'])

  const cases: readonly (readonly [what: string, to: FlowDestination, port: number, open: readonly string[]])[] = [
    ['the outside', { ip: '203.0.113.66' }, 443, []],
    ['the API server', { service: 'default/kubernetes' }, 443, ['gthulhu/gthulhu-manager']],
    ['a node', { node: 'bulkhead-worker' }, 10250, ['gthulhu/gthulhu-manager']],
    ['the metadata service', { ip: '169.254.169.254' }, 80, []],
  ]
  for (const [what, to, port, open] of cases) {
    it(`lets ${open.join(' and ') || 'nobody'} to ${what}, and closes it to every other pod`, () => {
      const through = workloadsOf(snapshot).filter(
        (workload) => judge({ from: { workload }, to, port }, snapshot).outcome !== 'deny',
      )
      assert.deepEqual(through, open)
    })
  }

  it('goes by the ServiceAccount: a pod with the manager’s labels has no door', () => {
    const labels = { 'app.kubernetes.io/name': 'gthulhu', 'app.kubernetes.io/instance': 'gthulhu' }
    const from = { namespace: 'gthulhu', labels: { ...labels, 'app.kubernetes.io/component': 'manager' } }
    const asked = (serviceAccount: string): string =>
      judge({ from: { ...from, serviceAccount }, to: { service: 'default/kubernetes' }, port: 443 }, snapshot).outcome
    assert.deepEqual([asked('thief'), asked('gthulhu-manager')], ['deny', 'allow'])
  })
})

describe('40-mtls alone', () => {
  const snapshot = snapshotWith(['40-mtls'])

  it('closes every pod of the mesh, but in the sandbox, to a caller without a certificate', () => {
    const asked = [...snapshot.pods.values()].filter(({ mesh, ports }) => mesh && ports.length > 0)
    assert.ok(asked.length >= 7)
    const open = asked.flatMap(({ workload, ports }) =>
      ports
        .filter(({ protocol }) => protocol === 'TCP')
        .filter(({ port }) => {
          const flow: Flow = { from: { workload: 'sandbox/outsider' }, to: { workload }, port }
          return judge(flow, snapshot).outcome === 'allow'
        })
        .map(({ port }) => `${workload}:${port}`),
    )
    assert.deepEqual(open, ['sandbox/collector:8080'])
  })
})

describe('50-identity alone', () => {
  const snapshot = snapshotWith(['50-identity'])

  for (const namespace of walled) {
    it(`closes a pod of tomorrow in ${namespace} to every identity`, () => {
      const tomorrow = { namespace, labels: { app: 'tomorrow' }, ports: [{ port: 8080 }] }
      for (const workload of workloadsOf(snapshot)) {
        const verdict = judge({ from: { workload }, to: tomorrow, port: 8080 }, snapshot)
        assert.equal(verdict.outcome, 'deny', workload)
        assert.equal(policyOf(verdict), `AuthorizationPolicy/${namespace}/allow-nothing`)
      }
    })
  }
})

describe('60-requests alone', () => {
  it('closes a Service of tomorrow that is put behind a waypoint, until it has a policy of its own', () => {
    for (const [namespace, selector, caller] of [
      ['shop', 'app: intruder', 'shop/sleep'],
      ['gthulhu', 'app: intruder', 'gthulhu-node/gthulhu-scheduler'],
    ] as const) {
      const text = `
apiVersion: v1
kind: Service
metadata: { name: tomorrow, namespace: ${namespace}, labels: { istio.io/use-waypoint: waypoint } }
spec: { selector: { ${selector} }, ports: [{ name: http, port: 8080 }] }`
      const objects = [...resources, ...parseManifests(text, 'tomorrow.yaml').resources]
      const http = { method: 'GET', path: '/' }
      const flow: Flow = { from: { workload: caller }, to: { service: `${namespace}/tomorrow` }, port: 8080, http }
      const verdict = judge(flow, snapshotWith(['60-requests'], {}, objects))
      assert.deepEqual([verdict.outcome, verdict.symptom], ['deny', 'rbac-403'])
      assert.equal(policyOf(verdict), `AuthorizationPolicy/${namespace}/waypoint-allow-nothing`)
    }
  })

  it('leaves the pods behind it to the waypoint, by whatever way another comes', () => {
    const snapshot = snapshotWith(['60-requests'])
    for (const [to, waypoint] of [
      ['shop/web-api', 'shop/waypoint'],
      ['shop/recommendation', 'shop/waypoint'],
      ['shop/purchase-history-v1', 'shop/waypoint'],
      ['gthulhu/gthulhu-manager', 'gthulhu/waypoint'],
    ] as const) {
      const open = workloadsOf(snapshot)
        .filter((workload) => workload !== to)
        .filter(
          (workload) => judge({ from: { workload }, to: { workload: to }, port: 8080 }, snapshot).outcome !== 'deny',
        )
      assert.deepEqual(open, [waypoint], to)
    }
  })
})
