import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Flow, judge, type Snapshot, type Step } from '@bulkhead/verdict'
import type { Rig } from '../testing/harness.js'
import { serve } from '../testing/http.js'
import { answersIn, asks, dial, exchange, podOf, recordsOf, start, summary, withPolicies } from './testing.js'

/* Golden vectors 46 to 50, 52 and 74 (semantics G.2) on the wire, each with what the engine says of the same flow. */

const toEcho = [{ matchLabels: { app: 'echo' } }]
const port = (http?: readonly object[]) => [
  { ports: [{ port: '8080', protocol: 'TCP' }], ...(http && { rules: { http } }) },
]
const clients = { endpointSelector: { matchLabels: { kind: 'client' } } }
const client2 = { endpointSelector: { matchLabels: { other: 'client' } } }
const dns = {
  toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } }],
}
const egress = (subject: object, ...rules: readonly object[]) => ({ spec: { ...subject, egress: [dns, ...rules] } })
const ingress = (...rules: readonly object[]) => ({
  spec: { endpointSelector: { matchLabels: { app: 'echo' } }, ingress: rules },
})

async function scene(t: TestContext, snapshot: Snapshot): Promise<Rig> {
  const rig = await start(t, snapshot)
  await serve(rig, podOf('test/echo'), ({ method, url }, response) => response.end(`${method} ${url}`))
  return rig
}

/** One request on the wire, and the same asked of the engine: they must agree. */
async function ask(rig: Rig, snapshot: Snapshot, from: string, method: string, path: string): Promise<string> {
  const run = `${from} ${method} ${path}`
  const socket = await dial(rig, from, run).catch(({ code }: { code: string }) => code)
  const got = typeof socket === 'string' ? socket : answersIn(await exchange(socket, asks(method, path))).join(' | ')
  const [record] = await recordsOf(rig, run, 1)
  assert.ok(record)
  const flow: Flow = { from: { workload: from }, to: { service: 'test/echo' }, port: 8080, http: { method, path } }
  const verdict = judge(flow, snapshot)
  assert.deepEqual([record.outcome, record.symptom], [verdict.outcome, verdict.symptom], run)
  assert.deepEqual(network(record), network(verdict), run)
  return got
}

/** What the CNI says. */
const network = ({ steps }: { readonly steps: readonly Step[] }) =>
  steps
    .filter(({ point }) => point === 'cni-egress' || point === 'cni-ingress')
    .map(({ point, code, policy, facts }) => ({ point, code, policy, request: facts?.request }))

const denied = '403 Access denied'

describe('requests that a network policy lists', () => {
  it('46 client-egress-l7-method, and 47: a client that the rule does not select', async (t) => {
    const rules = [
      { method: 'POST', path: '/public$' },
      { method: 'POST', path: '/private$' },
    ]
    const snapshot = withPolicies(egress(client2, { toEndpoints: toEcho, toPorts: port(rules) }), egress(clients))
    const rig = await scene(t, snapshot)
    assert.equal(await ask(rig, snapshot, 'test/client2', 'POST', '/public'), '200 POST /public')
    assert.equal(await ask(rig, snapshot, 'test/client2', 'POST', '/private'), '200 POST /private')
    assert.equal(await ask(rig, snapshot, 'test/client2', 'GET', '/public'), denied)
    assert.equal(await ask(rig, snapshot, 'test/client', 'POST', '/public'), 'ETIMEDOUT')
  })

  it('48 a path is matched whole, and with its query', async (t) => {
    const snapshot = withPolicies(egress(clients, { toEndpoints: toEcho, toPorts: port([{ path: '/public' }]) }))
    const rig = await scene(t, snapshot)
    assert.equal(await ask(rig, snapshot, 'test/client', 'GET', '/public'), '200 GET /public')
    assert.equal(await ask(rig, snapshot, 'test/client', 'GET', '/public?x=1'), denied)
    assert.equal(await ask(rig, snapshot, 'test/client', 'GET', '/public/deeper'), denied)
  })

  it('49 a rule for the same peer and port that reads nothing lets every request through', async (t) => {
    const http = egress(clients, { toEndpoints: toEcho, toPorts: port([{ method: 'GET', path: '/' }]) })
    const both = withPolicies(http, egress(clients, { toEndpoints: toEcho, toPorts: port() }))
    const rig = await scene(t, both)
    assert.equal(await ask(rig, both, 'test/client', 'POST', '/admin'), '200 POST /admin')
    const alone = withPolicies(http)
    rig.mesh.swap(alone, 1)
    assert.equal(await ask(rig, alone, 'test/client2', 'POST', '/admin'), denied)
    assert.equal(await ask(rig, alone, 'test/client2', 'GET', '/'), '200 GET /')
  })

  it('50 and so does one for all peers; at the ingress as well', async (t) => {
    const fromClient = { fromEndpoints: [{ matchLabels: { app: 'client' } }], toPorts: port([{ method: 'GET' }]) }
    const all = withPolicies(ingress(fromClient), ingress({ toPorts: port() }))
    const rig = await scene(t, all)
    assert.equal(await ask(rig, all, 'test/client', 'POST', '/x'), '200 POST /x')
    const alone = withPolicies(ingress(fromClient))
    rig.mesh.swap(alone, 1)
    assert.equal(await ask(rig, alone, 'test/client', 'PUT', '/x'), denied)
    assert.equal(await ask(rig, alone, 'test/client', 'GET', '/x'), '200 GET /x')
    assert.equal(await ask(rig, alone, 'test/client2', 'GET', '/x'), 'ETIMEDOUT')
  })

  it('52 a deny rule drops the packet: there is no 403', async (t) => {
    const from = [{ matchLabels: { app: 'client' } }]
    const rule = { fromEndpoints: from, toPorts: port([{ method: 'GET', path: '/' }]) }
    const open = withPolicies(ingress(rule))
    const rig = await scene(t, open)
    assert.equal(await ask(rig, open, 'test/client', 'GET', '/'), '200 GET /')
    const shut = withPolicies(ingress(rule), {
      spec: {
        endpointSelector: { matchLabels: { app: 'echo' } },
        ingressDeny: [{ fromEndpoints: from }],
      },
    })
    rig.mesh.swap(shut, 1)
    const socket = await dial(rig, 'test/client', 'shut').catch(({ code }: { code: string }) => code)
    assert.equal(socket, 'ETIMEDOUT')
  })

  it("74 the kubelet's probe from the pod's own node is not read", async (t) => {
    const snapshot = withPolicies(ingress({ toPorts: port([{ method: 'POST', path: '/only' }]) }))
    const rig = await scene(t, snapshot)
    const probe = (await rig.mesh.dialAsKubelet(podOf('test/echo'), 8080)).on('error', () => {})
    probe.write(asks('GET', '/anything'))
    let said = ''
    for await (const chunk of probe) said += String(chunk)
    assert.deepEqual(answersIn(said), ['200 GET /anything'])
    // The control: anybody else's request is.
    assert.equal(await ask(rig, snapshot, 'test/client', 'GET', '/anything'), denied)
    assert.equal(await ask(rig, snapshot, 'test/client', 'POST', '/only'), '200 POST /only')
  })

  it('a caller in the mesh: its request to a pod outside of it is read where it leaves', async (t) => {
    const policy = egress(
      { endpointSelector: { matchLabels: { app: 'caller' } } },
      {
        toEndpoints: [{ matchLabels: { app: 'echo', 'k8s:io.kubernetes.pod.namespace': 'test' } }],
        toPorts: port([{ path: '/listed' }]),
      },
    )
    const snapshot = withPolicies({ namespace: 'meshed', ...policy })
    const rig = await scene(t, snapshot)
    assert.equal(await ask(rig, snapshot, 'meshed/caller', 'GET', '/listed'), '200 GET /listed')
    assert.equal(await ask(rig, snapshot, 'meshed/caller', 'GET', '/else'), denied)
  })

  it('133 between two pods of the mesh nobody reads requests: the rule for the port is never asked', async (t) => {
    const rule = { fromEndpoints: [{}], toPorts: port([{ path: '/listed' }]) }
    const tunnels = { fromEndpoints: [{}], toPorts: [{ ports: [{ port: '15008', protocol: 'TCP' }] }] }
    const rig = await start(t, withPolicies({ namespace: 'meshed', ...ingress(rule, tunnels) }))
    await serve(rig, podOf('meshed/echo'), ({ url }, response) => response.end(url))
    const socket = await dial(rig, 'meshed/caller', 'run', 'echo.meshed')
    assert.deepEqual(answersIn(await exchange(socket, asks('GET', '/else'))), ['200 /else'])
    const [record] = await recordsOf(rig, 'run', 1)
    assert.ok(record)
    assert.equal(summary(record), 'allow, ok, -')
    assert.equal(record.http, undefined)
  })

  it('a captured pod by a plaintext caller: the request is read first, and ztunnel asked behind it', async (t) => {
    const rule = { fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'test' } }] }
    const rig = await start(
      t,
      withPolicies({ namespace: 'meshed', ...ingress({ ...rule, toPorts: port([{ path: '/listed' }]) }) }),
    )
    await serve(rig, podOf('meshed/echo'), ({ url }, response) => response.end(url))
    const at = async (path: string) => {
      const socket = await dial(rig, 'test/client', path, 'echo.meshed')
      const got = answersIn(await exchange(socket, asks('GET', path)))
      const [record] = await recordsOf(rig, path, 1)
      return [...got, record?.steps.map(({ point, code }) => `${point} ${code}`).join(', ')]
    }
    assert.deepEqual(await at('/listed'), [
      '200 /listed',
      'cni-egress network.no-policy, cni-ingress cni.rule-allows, ztunnel mtls.no-policy, ztunnel authz.no-allow-policy',
    ])
    assert.deepEqual(await at('/else'), [denied, 'cni-egress network.no-policy, cni-ingress cni.http-denied'])
  })
})
