import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ClusterError, type ManifestsEvent } from '@bulkhead/local-cluster'
import type { KubernetesObject } from '@bulkhead/resources'
import type { Attempt, Evidence } from '@bulkhead/scenarios'
import { cleanUp, eventually } from '@bulkhead/testing'
import type { FlowRecord } from '@bulkhead/verdict'
import type { Admission } from '@bulkhead/verdict/admission'
import { ControlClient } from '../client.js'
import type { ControlError } from '../wire.js'
import { createApp, type Served } from './app.js'

const token = 'a'.repeat(64)
const evidence: Evidence = { observation: { symptom: 'ok', phase: 'held', timings: {}, bytes: 3 }, flows: [] }

/** The API in front of a target that only remembers what it was asked. */
async function serve(t: TestContext, cluster: Partial<Served> | 'starting' = {}) {
  let port = 0
  let shutdowns = 0
  const app = createApp({
    token,
    port: () => port,
    cluster: () => (cluster === 'starting' ? undefined : (cluster as Served)),
    shutdown: () => void shutdowns++,
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  cleanUp(t, () => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${port}`
  return { url, port, server, client: new ControlClient({ pid: 1, url, token }), shutdowns: () => shutdowns }
}

function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { method: options.method ?? 'GET', headers: options.headers ?? {} },
      async (response) => {
        let body = ''
        for await (const chunk of response) body += chunk
        resolve({ status: response.statusCode ?? 0, body })
      },
    )
    asked.on('error', reject)
    asked.end(options.body)
  })
}
const bearer = { authorization: `Bearer ${token}` }
const codeOf = ({ body }: { body: string }): string => (JSON.parse(body) as { error: { code: string } }).error.code

test('GET / says what this is to anybody; everything else wants the token', async (t) => {
  const { url } = await serve(t, { layers: async () => [] })
  const front = await ask(url)
  assert.equal(front.status, 200)
  assert.match(front.body, /Bulkhead's local target/)
  assert.equal((await ask(`${url}/v1/layers`, { headers: bearer })).status, 200)
  for (const authorization of ['', 'Bearer ', `Bearer ${token}x`, `Bearer ${'b'.repeat(64)}`, token]) {
    const refused = await ask(`${url}/v1/layers`, { headers: { authorization } })
    assert.deepEqual([refused.status, codeOf(refused)], [401, 'no-token'], authorization)
  }
})

test('a request under another name is refused, with the token and without', async (t) => {
  const { url, port } = await serve(t, { layers: async () => [] })
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`]) {
    const refused = await ask(`${url}/v1/layers`, { headers: { ...bearer, host } })
    assert.deepEqual([refused.status, codeOf(refused)], [403, 'bad-host'], host)
    assert.equal((await ask(url, { headers: { host } })).status, 403)
  }
  assert.equal((await ask(`${url}/v1/layers`, { headers: { ...bearer, host: `localhost:${port}` } })).status, 200)
})

test('bad requests are told with a status and one envelope', async (t) => {
  const { url } = await serve(t, {})
  const json = { ...bearer, 'content-type': 'application/json' }
  const put = (body: string) => ask(`${url}/v1/layers`, { method: 'PUT', headers: json, body })
  assert.deepEqual(await put('{').then((answer) => [answer.status, codeOf(answer)]), [400, 'bad-request'])
  assert.deepEqual(await put('{"onn":[]}').then((answer) => [answer.status, codeOf(answer)]), [400, 'bad-request'])
  assert.deepEqual(
    await put(JSON.stringify({ on: ['x'.repeat(1_100_000)] })).then((answer) => [answer.status, codeOf(answer)]),
    [413, 'too-large'],
  )
  const nowhere = await ask(`${url}/v1/nope`, { headers: bearer })
  assert.deepEqual([nowhere.status, codeOf(nowhere)], [404, 'no-route'])
  const tail = await ask(`${url}/v1/logs?workload=shop/x&tail=-1`, { headers: bearer })
  assert.deepEqual([tail.status, codeOf(tail)], [400, 'bad-request'])
})

test('before the target has started it says so', async (t) => {
  const { client } = await serve(t, 'starting')
  await assert.rejects(client.status(), { code: 'starting' })
})

test('errors of the target reach the caller with their code and sentence', async (t) => {
  const { client } = await serve(t, {
    setLayers: () => Promise.reject(new ClusterError('unknown-layer', 'there is no layer "x".')),
    predict: () => Promise.reject(new TypeError('a bug')),
  })
  await assert.rejects(client.setLayers({ off: ['x'] }), {
    name: 'ControlError',
    code: 'unknown-layer',
    message: 'there is no layer "x".',
  })
  await assert.rejects(client.predict({ from: { workload: 'a/b' }, to: { ip: '1.2.3.4' }, port: 1 }), {
    code: 'internal',
  })
})

test('changes go through whole, under names with any letter', async (t) => {
  const asked: unknown[] = []
  const { client } = await serve(t, {
    put: async (name, change) => {
      asked.push([name, change])
      return { refused: [], news: [], mended: [], warnings: ['w'] }
    },
    withdraw: async (name) => void asked.push(name),
  })
  assert.deepEqual(await client.put('w', {}), { warnings: ['w'] })
  asked.pop()
  await client.apply('a/b c', { objects: 'kind: X', file: 'x.yaml', without: ['Y/ns/z'] })
  await client.withdraw('a/b c')
  assert.deepEqual(asked, [['a/b c', { objects: 'kind: X', file: 'x.yaml', without: ['Y/ns/z'] }], 'a/b c'])
})

/** A Secret that a policy would make of a namespace, and the namespace. */
const admission: Admission = {
  outcome: 'allow',
  steps: [],
  warnings: ['w'],
  object: {
    id: 'Namespace/a',
    kind: 'Namespace',
    name: 'a',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } },
    position: (path) => ({ file: 'a.yaml', line: 3 + path.length, column: 1 }),
  },
  generated: [
    {
      id: 'Secret/a/s',
      kind: 'Secret',
      namespace: 'a',
      name: 's',
      layer: '10-x',
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's', namespace: 'a' },
        data: { key: 'dmFsdWU=' },
      } as KubernetesObject,
      position: () => ({ file: 'p.yaml', line: 9, column: 5 }),
    },
  ],
}

test('what admission would say comes back as it was said, without the values of Secrets', async (t) => {
  const asked: unknown[] = []
  const { client } = await serve(t, {
    admit: async (...request) => {
      asked.push(request)
      return [{ ...admission, pod: { ...admission, outcome: 'deny', generated: [] } }]
    },
  })
  const change = { objects: 'kind: X', file: 'x.yaml' }
  const user = { username: 'somebody', groups: ['g'] }
  const [said, ...others] = await client.admit(change, user)
  assert.deepEqual([asked, others], [[[change, user]], []])
  assert.deepEqual([said?.outcome, said?.warnings, said?.pod?.outcome], ['allow', ['w'], 'deny'])
  assert.deepEqual(said?.object.object, admission.object.object)
  assert.deepEqual(said?.object.position(['metadata']), { file: 'a.yaml', line: 3, column: 1 })
  const [made] = said?.generated ?? []
  assert.deepEqual([made?.id, made?.namespace, made?.layer, made?.position([]).line], ['Secret/a/s', 'a', '10-x', 9])
  assert.deepEqual(Object(made?.object).data, { key: '(not shown)' })
  await client.admit(change)
  assert.deepEqual(asked.at(-1), [change, undefined])
})

test('a change that admission refuses says so with what was said of each object', async (t) => {
  const refusal = { status: 403, reason: 'Forbidden', message: 'no' }
  const { client } = await serve(t, {
    put: () =>
      Promise.reject(
        new ClusterError('refused', 'Error from server (Forbidden): no', {
          admissions: [{ ...admission, outcome: 'deny', generated: [], refusal }],
        }),
      ),
  })
  await assert.rejects(client.apply('x', { objects: '' }), (error: ControlError) => {
    assert.deepEqual([error.code, error.message], ['refused', 'Error from server (Forbidden): no'])
    assert.deepEqual(
      error.admissions.map(({ outcome, refusal: said, object }) => [outcome, said, object.id]),
      [['deny', refusal, 'Namespace/a']],
    )
    return true
  })
})

test('what is in force and which changes stand are told as the target tells them', async (t) => {
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a', namespace: 'b' } }
  const objects = [{ id: 'ServiceAccount/b/a', layer: '50-x', at: 'x.yaml:3', change: 'mine', inFiles: false, object }]
  const changes = [{ name: 'mine', change: { objects: 'kind: X', file: 'x.yaml' } }]
  const refused = [{ time: '2026-01-31T10:00:00.000Z', id: 'Pod/b/p', policies: ['Namespace/b'] }]
  const { client } = await serve(t, { objects: () => objects, standing: () => changes, refused: () => refused })
  assert.deepEqual(await client.objects(), objects)
  assert.deepEqual(await client.changes(), changes)
  assert.deepEqual(await client.refused(), refused)
})

const attempt: Attempt = { kind: 'tcp', to: { workload: 'shop/web-api' }, port: 8080, hold: true }

test('a held attempt tells when it is held, and what came of it', async (t) => {
  let changed = false
  const { client } = await serve(t, {
    logs: () => [],
    attempt: async (from, given, options) => {
      assert.deepEqual([from, given], ['shop/sleep', attempt])
      await options?.held?.()
      return evidence
    },
  })
  const got = await client.attempt('shop/sleep', attempt, {
    held: async () => {
      changed = true
    },
  })
  assert.deepEqual([got, changed], [evidence, true])
})

test('whatever an attempt may say arrives as it was said', async (t) => {
  const full: Required<Attempt> = {
    kind: 'http',
    to: { host: 'api.github.com' },
    port: 443,
    http: { method: 'POST', path: '/', headers: { host: 'x' }, body: 'b' },
    tls: { sni: 'x.example', insecure: true },
    dns: { query: 'x.example' },
    postgres: { user: 'u', database: 'd', passwordFrom: { secret: 'demo/s', key: 'k' } },
    mongo: { user: 'u', authSource: 'a', database: 'd', passwordFrom: { secret: 'demo/s', key: 'k' } },
    bearer: { serviceAccountOf: 'shop/web-api' },
    times: 3,
    send: 's',
    certificate: 'expired',
    as: 'shop/sleep',
    hold: true,
    again: true,
    timeoutMs: 1000,
  }
  const got: Attempt[] = []
  const { client } = await serve(t, {
    logs: () => [],
    attempt: (_from, given) => {
      got.push(given)
      return Promise.reject(new ClusterError('attempt-failed', 'not this one'))
    },
  })
  await assert.rejects(client.attempt('shop/sleep', full, { held: async () => undefined }), /not this one/)
  assert.deepEqual(got, [full])
})

test('what fails while a connection is held fails the attempt and ends it at the target', async (t) => {
  let ended: Promise<unknown> = Promise.resolve()
  const { client } = await serve(t, {
    logs: () => [],
    attempt: (_from, _attempt, options) => {
      const { signal } = options ?? {}
      assert.ok(signal !== undefined)
      ended = once(signal, 'abort')
      void options?.held?.()
      return new Promise(() => undefined)
    },
  })
  await assert.rejects(
    client.attempt('shop/sleep', attempt, { held: () => Promise.reject(new Error('no such layer')) }),
    /no such layer/,
  )
  await ended
})

test('an attempt that cannot be made is an error, not a stream that ends', async (t) => {
  const { client } = await serve(t, {
    logs: () => [],
    attempt: () => Promise.reject(new ClusterError('attempt-failed', 'the probe ended.')),
  })
  await assert.rejects(client.attempt('shop/sleep', attempt), { code: 'attempt-failed' })
})

test('a grant is given back when its stream is closed', async (t) => {
  let revoked = false
  const { client } = await serve(t, {
    exec: () => ({
      run: 'exec-1',
      pod: 'shop/sleep-1',
      env: { A: '1' },
      revoke: () => {
        revoked = true
      },
    }),
  })
  const grant = await client.exec('shop/sleep')
  assert.deepEqual([grant.run, grant.env, revoked], ['exec-1', { A: '1' }, false])
  await grant.close()
  while (!revoked) await new Promise((resolve) => setImmediate(resolve))
})

test('followed flows arrive one by one until the reader stops', async (t) => {
  let emit: (record: FlowRecord) => void = () => undefined
  let stopped = false
  const onFlow = (listener: (record: FlowRecord) => void) => {
    emit = listener
    return () => {
      stopped = true
    }
  }
  const { client } = await serve(t, { onFlow })
  const stop = new AbortController()
  const flows = client.followFlows(stop.signal)
  const first = flows.next()
  const record = { id: 1, run: 'with a\nnewline and ü' } as FlowRecord
  while (emit.length === 0) await new Promise((resolve) => setImmediate(resolve))
  emit(record)
  assert.deepEqual((await first).value, record)
  stop.abort()
  assert.equal((await flows.next()).done, true)
  while (!stopped) await new Promise((resolve) => setImmediate(resolve))
})

test('a target that has gone is one sentence', async (t) => {
  const { client, server } = await serve(t)
  server.close()
  server.closeAllConnections()
  await assert.rejects(client.status(), { code: 'unreachable', message: /does not answer \(ECONNREFUSED\)/ })
})

test('shutdown is answered before it is done', async (t) => {
  const { client, shutdowns } = await serve(t)
  await client.shutdown()
  while (shutdowns() === 0) await new Promise((resolve) => setImmediate(resolve))
})

test('what becomes of each save is streamed while somebody listens', async (t) => {
  let tell: ((event: ManifestsEvent) => void) | undefined
  const { client } = await serve(t, {
    onManifests(listener) {
      tell = listener
      return () => {
        tell = undefined
      }
    },
  })
  const refused: ManifestsEvent = { kind: 'refused', files: ['a.yaml'], message: 'a.yaml:1:2: a mistake' }
  const rollout: ManifestsEvent = { kind: 'rollout', workloads: ['a/b'], state: 'complete', waitingFor: [], ms: 7 }
  const stop = new AbortController()
  const heard: unknown[] = []
  const following = (async () => {
    for await (const event of client.followManifests(stop.signal)) {
      heard.push(event)
      if (heard.length === 2) stop.abort()
    }
  })()
  await eventually('it follows', () => tell !== undefined)
  tell?.(refused)
  tell?.(rollout)
  await following
  assert.deepEqual(heard, [refused, rollout])
  await eventually('it follows no more', () => tell === undefined)
})

test('an attempt from outside is made, and one of a node itself, though no workload is called so', async (t) => {
  const from: string[] = []
  const { client } = await serve(t, {
    logs: (of) => {
      throw new ClusterError('unknown-workload', `there is no workload "${of}".`)
    },
    attempt: async (who) => {
      from.push(who)
      return evidence
    },
  })
  const attempt: Attempt = { kind: 'http', to: { service: 'shop/gw-istio' }, port: 80 }
  assert.deepEqual(await client.attempt('outside', attempt), evidence)
  assert.deepEqual(await client.attempt('node bulkhead-worker', attempt), evidence)
  await assert.rejects(client.attempt('shop/nobody', attempt), { code: 'unknown-workload' })
  assert.deepEqual(from, ['outside', 'node bulkhead-worker'])
})
