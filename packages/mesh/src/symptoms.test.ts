import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FlowRecord } from '@bulkhead/verdict'
import { shop } from './testing/fake-snapshot.js'
import { type Rig, readAll, recordOf, startRig } from './testing/harness.js'

/** How a connect goes: the code of a failed connect, the code of a failed read, or what was read. */
async function outcome({ capture }: Rig, pod: string, host: string, port: number): Promise<string> {
  const started = performance.now()
  const late = () => (performance.now() - started >= 350 ? ' late' : '')
  try {
    const socket = await capture.connect(pod, host, port, 'run')
    try {
      return `read ${JSON.stringify(await readAll(socket))}`
    } catch (error) {
      return `read ${codeOf(error)}${late()}`
    } finally {
      socket.destroy()
    }
  } catch (error) {
    return `connect ${codeOf(error)}`
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error))

interface Case {
  readonly what: string
  readonly to: readonly [host: string, port: number]
  /** From a pod in the mesh, and from one that is not: what the app sees, and how the record puts it. */
  readonly mesh: readonly [seen: string, record: string]
  readonly plain: readonly [seen: string, record: string]
}

const summary = ({ outcome, symptom, flag, transport, steps, decidedBy }: FlowRecord) =>
  [outcome, symptom, flag, transport, decidedBy === undefined ? '' : steps[decidedBy]?.code].join(' ').trim()

const cases: readonly Case[] = [
  {
    what: 'a Service with a ready pod in the mesh',
    to: ['web-api', 80],
    mesh: ['read "served"', 'allow ok - hbone'],
    plain: ['read "served"', 'allow ok - plaintext'],
  },
  {
    what: 'a pod in the mesh by its address',
    to: ['10.244.1.2', 8080],
    mesh: ['read "served"', 'allow ok - hbone'],
    plain: ['read "served"', 'allow ok - plaintext'],
  },
  {
    what: 'a headless Service',
    to: ['headless', 8080],
    mesh: ['read "served"', 'allow ok - hbone'],
    plain: ['read "served"', 'allow ok - plaintext'],
  },
  {
    what: 'a pod outside the mesh',
    to: ['plain', 80],
    mesh: ['read "plain"', 'allow ok - plaintext'],
    plain: ['read "plain"', 'allow ok - plaintext'],
  },
  {
    what: 'a port that nothing listens on',
    to: ['web-api', 81],
    mesh: ['read ECONNRESET', 'deny reset CONNECT hbone network.nothing-listens'],
    plain: ['connect ECONNREFUSED', 'deny refused CONNECT plaintext network.nothing-listens'],
  },
  {
    what: 'a port that nothing listens on, outside the mesh',
    to: ['plain', 81],
    mesh: ['read ECONNRESET', 'deny reset CONNECT plaintext network.nothing-listens'],
    plain: ['connect ECONNREFUSED', 'deny refused CONNECT plaintext network.nothing-listens'],
  },
  {
    what: 'a port that the Service does not have',
    to: ['web-api', 9999],
    mesh: ['read ECONNRESET', 'deny reset CONNECT plaintext network.nothing-listens'],
    plain: ['connect ECONNREFUSED', 'deny refused CONNECT plaintext network.nothing-listens'],
  },
  {
    what: 'a Service without a ready pod',
    to: ['recommendation', 80],
    mesh: ['read ECONNRESET', 'deny reset NO_ENDPOINT plaintext network.no-endpoint'],
    plain: ['connect ECONNREFUSED', 'deny refused NO_ENDPOINT plaintext network.no-endpoint'],
  },
  {
    what: 'a name that nothing has',
    to: ['nobody', 80],
    mesh: ['connect ENOTFOUND', 'deny dns-not-found NO_NAME dns network.no-such-name'],
    plain: ['connect ENOTFOUND', 'deny dns-not-found NO_NAME dns network.no-such-name'],
  },
  {
    what: 'a name outside the cluster',
    to: ['api.example.com', 443],
    mesh: ['connect ENOTFOUND', 'deny dns-not-found NO_NAME dns network.no-such-name'],
    plain: ['connect ENOTFOUND', 'deny dns-not-found NO_NAME dns network.no-such-name'],
  },
  {
    what: 'an address that nobody has',
    to: ['192.0.2.1', 80],
    mesh: ['read ECONNRESET late', 'deny late-reset CONNECT plaintext network.unreachable'],
    plain: ['connect ETIMEDOUT', 'deny timeout CONNECT plaintext network.unreachable'],
  },
  {
    what: 'an IPv6 address',
    to: ['2001:db8::1', 80],
    mesh: ['read ECONNRESET late', 'deny late-reset CONNECT plaintext network.unreachable'],
    plain: ['connect ETIMEDOUT', 'deny timeout CONNECT plaintext network.unreachable'],
  },
  {
    what: "a proxy's own port of another pod",
    to: ['10.244.1.2', 15006],
    mesh: ['read ECONNRESET', 'deny reset ILLEGAL hbone hbone.own-port'],
    plain: ['read ECONNRESET', 'deny reset ILLEGAL plaintext hbone.own-port'],
  },
  {
    what: 'loopback, where nothing listens',
    to: ['127.0.0.1', 8080],
    mesh: ['connect ECONNREFUSED', 'deny refused CONNECT loopback network.nothing-listens'],
    plain: ['connect ECONNREFUSED', 'deny refused CONNECT loopback network.nothing-listens'],
  },
  {
    what: 'loopback, where the pod listens, by another of its names',
    to: ['::ffff:127.0.0.2', 9000],
    mesh: ['read "itself"', 'allow ok - loopback'],
    plain: ['read "itself"', 'allow ok - loopback'],
  },
  {
    what: 'localhost',
    to: ['LOCALHOST', 9000],
    mesh: ['read "itself"', 'allow ok - loopback'],
    plain: ['read "itself"', 'allow ok - loopback'],
  },
]

async function rig(t: Parameters<typeof startRig>[0], rules: Parameters<typeof shop>[0] = {}): Promise<Rig> {
  const made = await startRig(t, { snapshot: shop(rules) })
  made.mesh.setReady('shop/recommendation', false)
  await made.capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
  await made.capture.app('shop/plain', 8080, (socket) => socket.end('plain'))
  await made.capture.app('shop/sleep', 9000, (socket) => socket.end('itself'))
  await made.capture.app('shop/outsider', 9000, (socket) => socket.end('itself'))
  return made
}

// Most of it is waiting for a connect to time out.
describe('what the client sees', { concurrency: 4 }, () => {
  for (const { what, to, mesh, plain } of cases) {
    for (const [pod, [seen, record]] of [['shop/sleep', mesh] as const, ['shop/outsider', plain] as const]) {
      it(`${pod} -> ${what}: ${seen}`, async (t) => {
        const made = await rig(t)
        assert.equal(await outcome(made, pod, ...to), seen)
        assert.equal(summary(await recordOf(made.mesh, 'run')), record)
        assert.equal(made.mesh.flows().length, 1)
      })
    }
  }

  const rules = {
    strict: ['shop/web-api'],
    allow: { 'shop/recommendation': ['spiffe://cluster.local/ns/shop/sa/web-api'] },
    unknown: ['shop/notsleep'],
    drop: ['shop/sleep > shop/web-api:15008', 'shop/outsider > shop/plain:8080', 'shop/sleep > shop/plain:8080'],
  }
  const denials: readonly [from: string, to: readonly [string, number], seen: string, record: string, error: RegExp][] =
    [
      [
        'shop/outsider',
        ['web-api', 80],
        'read ECONNRESET',
        'deny reset DENY plaintext mtls.strict-no-identity',
        /explicitly denied by: istio-system\/istio_converted_static_strict$/,
      ],
      [
        'shop/outsider',
        ['web-api', 81],
        'read ECONNRESET',
        'deny reset DENY plaintext mtls.strict-no-identity',
        /explicitly denied/,
      ],
      [
        'shop/outsider',
        ['10.244.2.3', 8080],
        'read ECONNRESET',
        'deny reset DENY plaintext authz.no-rule-allows',
        /allow policies exist, but none allowed$/,
      ],
      [
        'shop/sleep',
        ['10.244.2.3', 8080],
        'read ECONNRESET',
        'deny reset DENY hbone authz.no-rule-allows',
        /allow policies exist, but none allowed$/,
      ],
      [
        'shop/sleep',
        ['10.244.2.5', 8080],
        'read ECONNRESET',
        'unknown reset DENY hbone not-modelled',
        /AuthorizationPolicy\/shop\/odd is not modelled$/,
      ],
      [
        'shop/sleep',
        ['web-api', 80],
        'read ECONNRESET late',
        'deny late-reset NETWORK_POLICY hbone not-modelled',
        /^connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008$/,
      ],
      [
        'shop/sleep',
        ['plain', 80],
        'read ECONNRESET late',
        'deny late-reset NETWORK_POLICY plaintext not-modelled',
        /^connection timed out$/,
      ],
      [
        'shop/outsider',
        ['plain', 80],
        'connect ETIMEDOUT',
        'deny timeout NETWORK_POLICY plaintext not-modelled',
        /a network policy drops the packet/,
      ],
    ]
  for (const [from, to, seen, record, error] of denials) {
    it(`${from} -> ${to.join(':')}, denied: ${seen}, ${record}`, async (t) => {
      const made = await rig(t, rules)
      let reached = 0
      await made.capture.app('shop/recommendation', 8080, () => (reached += 1))
      await made.capture.app('shop/notsleep', 8080, () => (reached += 1))
      assert.equal(await outcome(made, from, ...to), seen)
      const found = await recordOf(made.mesh, 'run')
      assert.equal(summary(found), record)
      assert.match(found.error ?? '', error)
      assert.deepEqual([found.bytesSent, found.bytesReceived, reached], [0, 0, 0])
      // The positive control: who may, may.
      if (!to[0].startsWith('10.')) return
      made.mesh.swap(shop(), 1)
      const control = await made.capture.connect(from, ...to)
      control.end('x')
      while (reached === 0) await new Promise((resolve) => setImmediate(resolve))
    })
  }
})
