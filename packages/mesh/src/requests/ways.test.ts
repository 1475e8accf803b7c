import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { type Flow, judge } from '@bulkhead/verdict'
import { request } from 'undici'
import type { Rig } from '../testing/harness.js'
import { say, serve } from '../testing/http.js'
import { answersIn, asks, dial, exchange, podOf, recordsOf, start, summary, withPolicies } from './testing.js'

/* Requests are read on every plaintext way to a pod: by a door from outside, a gateway, a node's port, and by probes. */

const listed = (fields: object, namespace = 'test') =>
  withPolicies({
    namespace,
    spec: {
      endpointSelector: { matchLabels: { app: 'echo' } },
      ingress: [
        { ...fields, toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ path: '/open' }] } }] },
      ],
    },
  })

const app = (rig: Rig, workload = 'test/echo') => serve(rig, podOf(workload), ({ url }, response) => response.end(url))

/** Callers may ask a node's port for /open and /left, and echo takes /open only. */
const twice = withPolicies(
  ...['test', 'meshed'].map((namespace) => ({
    namespace,
    spec: {
      endpointSelector: { matchLabels: { kind: 'client' } },
      egress: [
        {
          toEntities: ['remote-node', 'host'],
          toPorts: [{ ports: [{ port: '30088', protocol: 'TCP' }], rules: { http: [{ path: '/open|/left' }] } }],
        },
      ],
    },
  })),
  {
    spec: {
      endpointSelector: { matchLabels: { app: 'echo' } },
      ingress: [
        {
          fromEntities: ['remote-node', 'host'],
          toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ path: '/open' }] } }],
        },
      ],
    },
  },
)

/** A node that is not the pod's own, whose word is never asked. */
const OTHER_NODE = '172.18.0.4'

const denied = '403 Access denied'

describe('where requests are read', () => {
  it('from outside, by a Service', async (t) => {
    const snapshot = listed({ fromEntities: ['world', 'host', 'remote-node'] })
    const rig = await start(t, snapshot)
    await app(rig)
    const door = await rig.mesh.publish('test/echo', 8080, { at: 0, run: 'run' })
    cleanUp(t, () => door.close())
    assert.deepEqual(answersIn(await say(t, door.port, asks('GET', '/open'))), ['200 /open'])
    assert.deepEqual(answersIn(await say(t, door.port, asks('GET', '/shut'))), [denied])
    const records = await recordsOf(rig, 'run', 2)
    assert.deepEqual(records.map(summary), [
      'allow, ok, -, 200',
      'deny, cilium-403, DENY, cni-ingress cni.http-denied, 403',
    ])
  })

  it('behind a gateway, to a pod outside the mesh: its client gets the 403, and so it is predicted', async (t) => {
    const snapshot = listed({ fromEntities: ['cluster'] })
    const rig = await start(t, snapshot)
    await app(rig)
    const door = await rig.mesh.publish('test/front-istio', 80, { at: 0, run: 'run' })
    cleanUp(t, () => door.close())
    const ask = async (path: string) => {
      const { statusCode, body } = await request(`http://127.0.0.1:${door.port}${path}`)
      return `${statusCode} ${(await body.text()).trim()}`
    }
    assert.deepEqual([await ask('/open'), await ask('/shut'), await ask('/open')], ['200 /open', denied, '200 /open'])
    const records = await recordsOf(rig, 'run', 3)
    const predicted = ['/open', '/shut', '/open'].map((path) => {
      const flow: Flow = {
        from: { external: 'outside' },
        to: { service: 'test/front-istio' },
        port: 80,
        http: { method: 'GET', path },
      }
      const { outcome, symptom } = judge(flow, snapshot)
      return [outcome, symptom]
    })
    assert.deepEqual(
      records.map(({ outcome, symptom }) => [outcome, symptom]),
      predicted,
    )
    const [, refused] = records
    const step = refused?.steps[refused.decidedBy ?? -1]
    assert.deepEqual([step?.hop, step?.code, step?.facts?.request], [1, 'cni.http-denied', 'GET /shut'])
    assert.deepEqual([refused?.transport, refused?.symptom, refused?.flag], ['http', 'cilium-403', 'DENY'])
  })

  for (const from of ['test/client', 'meshed/caller']) {
    it(`${from}, by a node's port: where it leaves the caller, and where it comes in`, async (t) => {
      const rig = await start(t, twice)
      await app(rig)
      const at = async (path: string) => {
        const socket = await rig.capture.connect(podOf(from), OTHER_NODE, 30088, path)
        return answersIn(
          await exchange(
            socket.on('error', () => {}),
            asks('GET', path),
          ),
        ).join()
      }
      assert.deepEqual([await at('/open'), await at('/left'), await at('/shut')], ['200 /open', denied, denied])
      const of = async (run: string, count: number) => (await recordsOf(rig, run, count)).map(summary)
      // Both proxies tell of a request that reached both.
      const left = 'deny, cilium-403, DENY, cni-ingress cni.http-denied, 403'
      assert.deepEqual(await of('/left', 2), [left, left])
      assert.deepEqual(await of('/shut', 1), ['deny, cilium-403, DENY, cni-egress cni.http-denied, 403'])
      assert.ok((await recordsOf(rig, '/open', 2)).every(({ outcome }) => outcome === 'allow'))
    })
  }

  it("a captured pod's probes come from an address of their own, and are read if a rule wants to", async (t) => {
    const probes = { fromCIDR: ['169.254.7.127/32'] }
    const rig = await start(t, listed(probes, 'meshed'))
    const key = podOf('meshed/echo')
    const probe = async (path: string) => {
      const socket = (await rig.mesh.dialAsKubelet(key, 8080)).on('error', () => {})
      socket.write(asks('GET', path))
      let said = ''
      for await (const chunk of socket) said += String(chunk)
      return answersIn(said)
    }
    await assert.rejects(rig.mesh.dialAsKubelet(key, 8080), { code: 'ECONNREFUSED' })
    await app(rig, 'meshed/echo')
    assert.deepEqual(await probe('/open'), ['200 /open'])
    assert.deepEqual(await probe('/shut'), [denied])
    assert.deepEqual(rig.mesh.flows(), [])
    // The control: nobody else comes in at all.
    await assert.rejects(dial(rig, 'test/client', 'run', 'echo.meshed'), { code: 'ETIMEDOUT' })
  })
})
