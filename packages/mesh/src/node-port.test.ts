import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { FlowRecord, ServiceModel, Snapshot } from '@bulkhead/verdict'
import { FRONT, type Rules, shop } from './testing/fake-snapshot.js'
import { type Rig, readAll, recordOf, startRig } from './testing/harness.js'

/*
 * A pod dials a node's port of a Service: the network is asked about a packet to the node, and about one from the node.
 */

const NODE = '172.18.0.4'
const FRONT_PORT = 30080
const WEB_PORT = 30090
const EMPTY_PORT = 30099

function exposed(rules: Rules = {}): Snapshot {
  const snapshot = shop({ gateway: {}, ...rules })
  const services = new Map(snapshot.services)
  const expose = (key: string, port: number, nodePort: number, more: Partial<ServiceModel> = {}) => {
    const service = services.get(key) ?? assert.fail(key)
    const ports = service.ports.map((one) => (one.port === port ? { ...one, nodePort } : one))
    services.set(key, { ...service, ports, external: true, ...more })
  }
  expose(FRONT, 80, FRONT_PORT)
  expose('shop/web-api', 80, WEB_PORT)
  expose('shop/notsleep', 80, EMPTY_PORT, { endpoints: [] })
  return { ...snapshot, services }
}

async function rig(t: TestContext, rules: Rules = {}): Promise<Rig> {
  const made = await startRig(t, { snapshot: exposed(rules) })
  await made.capture.app('shop/web-api', 8080, (socket) => socket.end('hello'))
  return made
}

const codes = ({ steps }: FlowRecord) => steps.map(({ point, code }) => `${point} ${code}`)

for (const pod of ['shop/sleep', 'shop/outsider']) {
  const late = pod === 'shop/sleep' ? 'late-reset' : 'timeout'
  const tries = async ({ capture, mesh }: Rig, port: number, run: string): Promise<FlowRecord> => {
    await capture
      .connect(pod, NODE, port, run)
      .then((socket) => readAll(socket.end()))
      .catch(() => undefined)
    return recordOf(mesh, run)
  }

  describe(`${pod}, by a node's port`, () => {
    it('comes to the pod in plaintext, as the node', async (t) => {
      const made = await rig(t)
      assert.equal(await readAll((await made.capture.connect(pod, NODE, WEB_PORT, 'run')).end()), 'hello')
      const record = await recordOf(made.mesh, 'run')
      assert.deepEqual(
        [record.outcome, record.transport, record.destination.workload],
        ['allow', 'plaintext', 'shop/web-api'],
      )
      // It has shown none.
      assert.equal(record.source.identity, undefined)
      assert.deepEqual(codes(record), [
        'cni-egress network.no-policy',
        'cni-ingress network.no-policy',
        'ztunnel authz.no-allow-policy',
      ])
    })

    it('has no identity there, whoever it is', async (t) => {
      const made = await rig(t, { strict: ['shop/web-api'] })
      const record = await tries(made, WEB_PORT, 'run')
      assert.deepEqual([record.outcome, record.symptom, record.flag], ['deny', 'reset', 'DENY'])
      assert.equal(record.steps[record.decidedBy ?? -1]?.code, 'mtls.strict-no-identity')
    })

    it('is dropped where the pod may not dial nodes, and where the node may not dial the pod', async (t) => {
      const out = await rig(t, { egress: { [pod]: { drop: [`${NODE}:${FRONT_PORT}`] } } })
      const [egress, other] = [await tries(out, FRONT_PORT, 'a'), await tries(out, WEB_PORT, 'b')]
      assert.deepEqual([egress.outcome, egress.symptom, egress.flag], ['deny', late, 'NETWORK_POLICY'])
      assert.equal(other.outcome, 'allow')
      const inward = await rig(t, { drop: [`${NODE} > ${FRONT}:80`] })
      const ingress = await tries(inward, FRONT_PORT, 'c')
      assert.deepEqual([ingress.symptom, ingress.steps[ingress.decidedBy ?? -1]?.point], [late, 'cni-ingress'])
    })

    it('is dropped at the node, by a policy for nodes, and its record says so', async (t) => {
      const made = await rig(t, { drop: [`${pod} > node bulkhead-worker2:${FRONT_PORT}`] })
      const record = await tries(made, FRONT_PORT, 'run')
      assert.deepEqual([record.outcome, record.symptom], ['deny', late])
      assert.equal(record.steps[record.decidedBy ?? -1]?.point, 'cni-ingress')
      assert.equal((await tries(made, WEB_PORT, 'control')).outcome, 'allow')
    })

    it('comes to a gateway, which asks in its own name', async (t) => {
      const made = await rig(t)
      await made.capture.app('shop/web-api', 8080, (socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')),
      )
      const socket = await made.capture.connect(pod, NODE, FRONT_PORT, 'run')
      socket.write(`GET / HTTP/1.1\r\nhost: ${NODE}:${FRONT_PORT}\r\nconnection: close\r\n\r\n`)
      assert.match(await readAll(socket), /^HTTP\/1\.1 200 OK\r\n[\s\S]*ok$/)
    })

    it('learns that a Service has no pod only if the node may be dialled', async (t) => {
      const open = await tries(await rig(t), EMPTY_PORT, 'a')
      const symptom = pod === 'shop/sleep' ? 'reset' : 'refused'
      assert.deepEqual(
        [open.symptom, open.flag, codes(open).at(-1)],
        [symptom, 'NO_ENDPOINT', 'cni-egress network.no-endpoint'],
      )
      const closed = await tries(await rig(t, { egress: { [pod]: { drop: [`*:${EMPTY_PORT}`] } } }), EMPTY_PORT, 'b')
      assert.deepEqual([closed.symptom, closed.flag], [late, 'NETWORK_POLICY'])
    })
  })
}
