import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Flow, type FlowRecord, judge, type Snapshot, type Verdict } from '@bulkhead/verdict'
import { type Rig, recordOf } from '../testing/harness.js'
import { say, serve } from '../testing/http.js'
import { caller, networkPolicy, podOf, policy, startReal, withObjects } from './testing.js'

/* What is seen of a connection, laid beside what the engine predicts of the same one: all steps, in their order. */

async function scene(t: TestContext, snapshot: Snapshot): Promise<Rig> {
  const rig = await startReal(t, snapshot)
  for (const workload of ['shop/web-api', 'shop/bare'])
    await serve(rig, podOf(workload), ({ method, url }, response) => response.end(`${method} ${url}`))
  for (const port of [9090, 9091])
    await rig.capture.app(podOf('shop/web-api'), port, (socket) => {
      socket.once('data', (chunk) => socket.end(`heard ${chunk}`))
    })
  return rig
}

/**
 * What is behind a refusal nobody asks on the wire; the engine goes on, to tell what else would have stopped it. Where there
 * is no ztunnel, only the engine says so.
 */
function compare(record: FlowRecord, verdict: Verdict): void {
  const steps = verdict.steps.filter(({ code }) => code !== 'not-in-mesh')
  assert.deepEqual(record.steps, verdict.decidedBy === undefined ? steps : steps.slice(0, record.steps.length))
  assert.equal(record.decidedBy, verdict.decidedBy?.step)
  assert.deepEqual([record.outcome, record.symptom], [verdict.outcome, verdict.symptom])
}

const PATH = '/things'

/** A request on the wire; the same is asked of the engine. */
async function ask(rig: Rig, snapshot: Snapshot, flow: Flow & { from: { workload: string }; to: { service: string } }) {
  const { method = 'GET', path = PATH } = flow.http ?? {}
  const host = flow.to.service.slice('shop/'.length)
  const call = caller(rig, host, flow.port)
  const run = `${flow.from.workload} ${method}`
  const got = await call(podOf(flow.from.workload, snapshot), method, path, run).catch(() => undefined)
  const record = await recordOf(rig.mesh, run)
  compare(record, judge({ ...flow, http: { method, path, host } }, snapshot))
  return got === undefined ? record.symptom : `${got.status} ${got.body}`
}

const flow = (service: string, method = 'GET', from = 'sleep', port = 80) => ({
  from: { workload: `shop/${from}` },
  to: { service: `shop/${service}` },
  port,
  http: { method, path: PATH },
})

const principal = (account: string) => [{ source: { principals: [`cluster.local/ns/shop/sa/${account}`] } }]
const toWebApi = { targetRefs: [{ group: '', kind: 'Service', name: 'web-api' }] }
const reads = policy('reads', {
  ...toWebApi,
  rules: [{ from: principal('sleep'), to: [{ operation: { methods: ['GET'] } }] }],
})
const behind = (account: string) =>
  policy('behind', { selector: { matchLabels: { app: 'web-api' } }, rules: [{ from: principal(account) }] })
const isolate = (app: Record<string, string>, from: object[] = []) =>
  networkPolicy('isolate', { podSelector: { matchLabels: app }, policyTypes: ['Ingress'], ingress: from })
const waypointPods = { 'gateway.networking.k8s.io/gateway-name': 'waypoint' }

describe('a request by a waypoint is recorded as the engine predicts it', () => {
  it('allowed, and denied by the waypoint', async (t) => {
    const snapshot = withObjects(reads + behind('waypoint'))
    const rig = await scene(t, snapshot)
    assert.equal(await ask(rig, snapshot, flow('web-api')), `200 GET ${PATH}`)
    assert.equal(await ask(rig, snapshot, flow('web-api', 'DELETE')), '403 RBAC: access denied')
  })

  it('refused as no proxy takes it, with its path normalised, and by where it leads to', async (t) => {
    const paths = { ...toWebApi, action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin*'] } }] }] }
    const snapshot = withObjects(policy('paths', paths))
    const rig = await scene(t, snapshot)
    const at = (path: string, method: string) => ({ ...flow('web-api', method), http: { method, path } })
    assert.match(await ask(rig, snapshot, at('/a%00b', 'GET')), /^400 refused/)
    assert.equal(await ask(rig, snapshot, at('/x/../%61dmin', 'PUT')), '403 RBAC: access denied')
    assert.equal(await ask(rig, snapshot, at('/x/./%61?%61', 'POST')), '200 POST /x/a?%61')
    assert.equal(await ask(rig, snapshot, at('//admin', 'PATCH')), '200 PATCH //admin')
  })

  it('denied behind it, where the waypoint itself is no friend', async (t) => {
    const snapshot = withObjects(reads + behind('sleep'))
    const rig = await scene(t, snapshot)
    assert.match(await ask(rig, snapshot, flow('web-api')), /^503 upstream connect error/)
  })

  it('dropped before it, and dropped behind it', async (t) => {
    for (const [app, got] of [
      [waypointPods, /^late-reset$/],
      [{ app: 'web-api' }, /^503 .*connection timeout$/],
    ] as const) {
      const snapshot = withObjects(reads + isolate(app))
      assert.match(await ask(await scene(t, snapshot), snapshot, flow('web-api')), got)
    }
  })

  it('to a Service without a pod, and to one whose pods are not in the mesh', async (t) => {
    const snapshot = withObjects(reads)
    const rig = await scene(t, snapshot)
    assert.equal(await ask(rig, snapshot, flow('empty')), '503 no healthy upstream')
    assert.equal(await ask(rig, snapshot, flow('bare', 'PUT')), `200 PUT ${PATH}`)
  })

  it('walked past: by who is outside the mesh, and by all where there is no such waypoint', async (t) => {
    const snapshot = withObjects(reads)
    const rig = await scene(t, snapshot)
    assert.equal(await ask(rig, snapshot, flow('web-api', 'DELETE', 'outsider')), `200 DELETE ${PATH}`)
    assert.equal(await ask(rig, snapshot, flow('lost', 'DELETE')), `200 DELETE ${PATH}`)
  })

  it('walked past: one that was never ready. That has been ready and is gone, it fails', async (t) => {
    const gone = (text: string) =>
      text.replace(
        'spec:\n  gatewayClassName: istio-waypoint',
        'spec:\n  infrastructure: { parametersRef: { group: "", kind: ConfigMap, name: none } }\n  gatewayClassName: istio-waypoint',
      ) +
      '---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: none, namespace: shop }\ndata:\n  deployment: |\n    spec: { replicas: 0 }\n'
    const never = withObjects(reads, { change: gone, waypointsReadyOnce: new Set() })
    const rig = await scene(t, never)
    assert.equal(await ask(rig, never, flow('web-api', 'DELETE')), `200 DELETE ${PATH}`)
    const dead = withObjects(reads, { change: gone, waypointsReadyOnce: new Set(['shop/waypoint']) })
    rig.mesh.swap(dead, 1)
    assert.equal(await ask(rig, dead, flow('web-api', 'PUT')), 'reset')
  })
})

describe('a connection by a waypoint that carries no HTTP is recorded as the engine predicts it', () => {
  async function tcp(rig: Rig, snapshot: Snapshot, port: number): Promise<string> {
    const run = `tcp ${port}`
    const socket = await rig.capture.connect(podOf('shop/sleep'), 'web-api', port, run)
    let read = ''
    socket.on('data', (chunk) => {
      read += chunk
    })
    const over = new Promise((resolve) => socket.once('end', () => socket.end()).once('close', resolve))
    socket.write('hello\n')
    await over
    const record = await recordOf(rig.mesh, run)
    const asked: Flow = { from: { workload: 'shop/sleep' }, to: { service: 'shop/web-api' }, port }
    // What is no HTTP a flow tells by its TLS, where the port does not tell.
    compare(record, judge(port === 90 ? asked : { ...asked, tls: {} }, snapshot))
    return read || record.symptom
  }

  it('allowed, also where nobody says what the port carries', async (t) => {
    const snapshot = withObjects(behind('waypoint'))
    const rig = await scene(t, snapshot)
    for (const port of [90, 91]) assert.equal(await tcp(rig, snapshot, port), 'heard hello\n')
  })

  it('denied: a rule about requests lets in what carries none nowhere', async (t) => {
    const snapshot = withObjects(reads)
    const rig = await scene(t, snapshot)
    for (const port of [90, 91]) assert.equal(await tcp(rig, snapshot, port), 'reset')
  })

  it('denied behind it, and dropped there', async (t) => {
    for (const [objects, got] of [
      [behind('sleep'), 'reset'],
      [isolate({ app: 'web-api' }), 'late-reset'],
    ] as const) {
      const snapshot = withObjects(objects)
      assert.equal(await tcp(await scene(t, snapshot), snapshot, 90), got)
    }
  })
})

describe('a request from outside is recorded as the engine predicts it', () => {
  async function enter(t: TestContext, rig: Rig, snapshot: Snapshot, method: string, path: string): Promise<string> {
    const run = `${method} ${path}`
    const { port } = await rig.mesh.publish('shop/front-istio', 80, { at: 0, run })
    const got = await say(t, port, `${method} ${path} HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n`)
    const record = await recordOf(rig.mesh, run)
    const verdict = judge(
      {
        from: { external: '172.18.0.1' },
        to: { service: 'shop/front-istio' },
        port: 80,
        http: { method, path, host: 'shop.test' },
      },
      snapshot,
    )
    compare(record, verdict)
    return `${got.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)} ${got.slice(got.indexOf('\r\n\r\n') + 4)}`
  }

  it('by the gateway and the waypoint: allowed, denied by the waypoint, denied behind it', async (t) => {
    const gets = policy('gets', {
      ...toWebApi,
      rules: [{ from: principal('front-istio'), to: [{ operation: { methods: ['GET'] } }] }],
    })
    const snapshot = withObjects(gets + behind('waypoint'))
    const rig = await scene(t, snapshot)
    assert.equal(await enter(t, rig, snapshot, 'GET', PATH), `200 GET ${PATH}`)
    assert.equal(await enter(t, rig, snapshot, 'DELETE', PATH), '403 RBAC: access denied')
    assert.match(await enter(t, rig, snapshot, 'GET', '/a%00b'), /^400 refused/)
    const closed = withObjects(gets + behind('sleep'))
    rig.mesh.swap(closed, 1)
    assert.match(await enter(t, rig, closed, 'GET', '/other'), /^503 upstream connect error/)
  })

  it('by the gateway past the waypoint, where the Service does not ask for it', async (t) => {
    const snapshot = withObjects(reads)
    const rig = await scene(t, snapshot)
    assert.equal(await enter(t, rig, snapshot, 'DELETE', '/direct'), '200 DELETE /direct')
  })
})
