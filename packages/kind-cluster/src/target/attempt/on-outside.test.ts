import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import { inspected, outsideRoot, outsideUp } from '../../testing/index.js'
import { bench, everything, given, seen } from '../testing/bench.js'

const drop: Attempt = {
  ...{ kind: 'http', to: { host: 'drop.attacker.example' }, port: 443, tls: {} },
  http: { method: 'POST', path: '/drop', body: 'everything' },
}
const exec = /^kubectl exec -i -n/
const hubble = /^kubectl exec -n kube-system cilium-\S+ /

describe('an attempt on the host outside of the cluster', () => {
  it('dials it by name, and takes its certificates and no others', async (t) => {
    const { target, tools } = bench(t, [[exec, { stdout: seen() }], ...outsideUp])
    const { observation } = await target.attempt('shop/intruder', drop)
    assert.equal(observation.symptom, 'ok')
    const { host, authorities } = given(tools.asked.find(({ stdin }) => stdin !== undefined)?.stdin)
    assert.deepEqual([host, authorities], ['drop.attacker.example', outsideRoot])
  })

  it('is given no authority where there is no TLS, or another host is called', async (t) => {
    const { target, tools } = bench(t, [[exec, { stdout: seen() }], ...outsideUp])
    const { tls: _, ...plain } = drop
    await target.attempt('shop/intruder', { ...plain, port: 80 })
    await target.attempt('shop/intruder', { ...drop, to: { host: 'api.github.com' } })
    for (const { stdin } of tools.asked.filter((one) => one.stdin !== undefined))
      assert.equal(given(stdin).authorities, undefined)
    assert.equal(tools.lines().filter((line) => line.startsWith('docker logs')).length, 1)
  })

  it('is about the address that it has now: it is asked each time', async (t) => {
    const agents = [{ kind: 'Pod', apiVersion: 'v1', metadata: { namespace: 'kube-system', name: 'cilium-1' } }].map(
      (pod) => ({
        ...{ ...pod, spec: { nodeName: 'bulkhead-worker' }, status: { phase: 'Running', podIP: '172.18.0.3' } },
      }),
    )
    const { target, tools } = bench(t, [
      [exec, { stdout: seen({ symptom: 'timeout', phase: 'connect' }) }],
      [
        'docker container inspect bulkhead-outside',
        [{ stdout: inspected() }, { stdout: inspected({ address: '172.18.0.9' }) }],
      ],
      [/^kubectl get pods -n kube-system /, { stdout: JSON.stringify({ items: agents }) }],
      [hubble, (_, nth) => ({ stdout: `${flow(nth < 4 ? '172.18.0.5' : '172.18.0.9')}\n` })],
      ...outsideUp,
    ])
    const first = await target.attempt('sandbox/outsider', drop)
    const second = await target.attempt('sandbox/outsider', drop)
    for (const [{ sightings = [] }, ip] of [
      [first, '172.18.0.5'],
      [second, '172.18.0.9'],
    ] as const)
      assert.deepEqual([...new Set(sightings.map(({ destination }) => destination.ip))], [ip])
    assert.ok(tools.lines().some((line) => hubble.test(line)))
  })
})

const outsider = everything.objects.find(
  ({ kind, metadata }) => kind === 'Pod' && metadata.namespace === 'sandbox' && metadata.name.startsWith('outsider-'),
)

/** Cilium's word on the packet, as Hubble writes it. */
function flow(to: string): string {
  const status: unknown = outsider?.status
  const from = typeof status === 'object' && status !== null && 'podIP' in status ? String(status.podIP) : ''
  return JSON.stringify({
    flow: {
      ...{ time: new Date().toISOString(), verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENY' },
      IP: { source: from, destination: to, ipVersion: 'IPv4' },
      l4: { TCP: { source_port: 41000, destination_port: 443, flags: { SYN: true } } },
      source: { namespace: 'sandbox', labels: ['k8s:app=outsider'], pod_name: outsider?.metadata.name },
      destination: { identity: 2, labels: ['reserved:world'] },
      ...{ Type: 'L3_L4', traffic_direction: 'EGRESS', node_name: 'bulkhead-worker' },
    },
  })
}
