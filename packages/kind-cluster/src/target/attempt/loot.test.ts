import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import { bench, given, seen } from '../testing/bench.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const secret = (data: Readonly<Record<string, string>>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data })

const postgres: Attempt = {
  kind: 'postgres',
  to: { service: 'demo/postgres' },
  port: 5432,
  postgres: { user: 'hello', database: 'hellodb', passwordFrom: { secret: 'demo/postgres-secret', key: 'password' } },
}
const get = (bearer: NonNullable<Attempt['bearer']>): Attempt => ({
  ...{ kind: 'http', to: { service: 'gthulhu/gthulhu-manager' }, port: 8080 },
  ...{ http: { method: 'GET', path: '/api/v1/users' }, bearer },
})
const exec = /^kubectl exec -i/

describe('what a thief has got hold of', () => {
  it('a password: read of the Secret, given to the program alone, and in nothing that is reported or logged', async (t) => {
    const { target, tools } = bench(t, [
      ['kubectl get secret -n demo postgres-secret', { stdout: secret({ password: base64('hunter2') }) }],
      [exec, { stdout: seen({ detail: { text: 'hunter2 is taken' } }) }],
    ])
    const { observation } = await target.attempt('demo/test-pod', postgres)
    assert.deepEqual(observation.detail, { text: '[not shown] is taken' })
    const asked = tools.asked.filter(
      ({ tool, args }) => tool === 'kubectl' && (args.includes('exec') || args.includes('secret')),
    )
    assert.deepEqual(
      asked.map((one) => one.secret),
      [true, true],
    )
    assert.equal(given(asked.find(({ stdin }) => stdin !== undefined)?.stdin).password, 'hunter2')
    assert.doesNotMatch(tools.lines().join('\n'), /hunter2/)
  })

  it('is in no record of it either: Hubble tells a request with its headers, a proxy its path', async (t) => {
    const agent = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'kube-system', name: 'cilium-a' }, spec: {} },
      status: { phase: 'Running', podIPs: [] },
    }
    const flow = () => ({
      ...{ time: new Date().toISOString(), verdict: 'DROPPED', Type: 'L7', IP: {} },
      l7: { http: { method: 'GET', url: '/api/v1/users?t=ey.token', headers: [{ value: 'Bearer ey.token' }] } },
    })
    const { target, tools } = bench(t, [
      ['kubectl create token', { stdout: 'ey.token' }],
      ['kubectl get pods -n kube-system -l k8s-app=cilium', { stdout: JSON.stringify({ items: [agent] }) }],
      [/^kubectl exec -n kube-system/, () => ({ stdout: `${JSON.stringify({ flow: flow() })}\n` })],
      [exec, { stdout: seen({ symptom: 'cilium-403' }) }],
    ])
    const { sightings = [] } = await target.attempt(
      'gthulhu/intruder',
      get({ serviceAccountOf: 'gthulhu/gthulhu-manager' }),
    )
    assert.equal(sightings.length, 1)
    assert.match(sightings[0]?.line ?? '', /Bearer \[not shown\]/)
    assert.doesNotMatch(JSON.stringify(sightings), /ey\.token/)
    const read = tools.asked.filter(({ args }) => args.includes('hubble'))
    assert.ok(read.length > 0 && read.every(({ secret }) => secret === true), 'nor in the log')
  })

  it('none where there is no such Secret, or key', async (t) => {
    for (const stdout of ['', secret({ other: '' })]) {
      const { target } = bench(t, [['kubectl get secret', { stdout }]])
      await assert.rejects(target.attempt('demo/test-pod', postgres), {
        code: 'bad-attempt',
        message: /no Secret "demo\/postgres-secret"/,
      })
    }
  })

  it('a ServiceAccount s token: bound to the pod, as the kubelet gives it, and only where it gives one', async (t) => {
    const { target, tools } = bench(t, [
      ['kubectl create token -n gthulhu gthulhu-manager', { stdout: 'ey.token\n' }],
      [exec, { stdout: seen() }],
    ])
    await target.attempt('gthulhu/intruder', get({ serviceAccountOf: 'gthulhu/gthulhu-manager' }))
    const line = tools.lines().find((one) => one.startsWith('kubectl create token')) ?? ''
    assert.match(
      line,
      /--duration 10m --bound-object-kind Pod --bound-object-name gthulhu-manager-\S+ --bound-object-uid \S+$/,
    )
    assert.equal(given(tools.asked.find(({ stdin }) => stdin !== undefined)?.stdin).token, 'ey.token')
    await assert.rejects(target.attempt('gthulhu/intruder', get({ serviceAccountOf: 'shop/web-api' })), {
      code: 'bad-attempt',
    })
  })

  const login = { login: { secret: 'gthulhu/gthulhu-manager-admin', userKey: 'username', passwordKey: 'password' } }
  const admin = secret({ username: base64('admin@example.com'), password: base64('pass') })

  it('a user s token: logged in once, in the manager s own pod at its loopback', async (t) => {
    const body = JSON.stringify({ success: true, data: { token: 'user-token' } })
    const { target, tools } = bench(t, [
      ['kubectl get secret', { stdout: admin }],
      [
        /exec -i -n gthulhu gthulhu-manager-\S+ .*--input-type=module/,
        { stdout: seen({ http: { status: 200, headers: {}, body } }) },
      ],
      [exec, { stdout: seen() }],
    ])
    for (let n = 0; n < 2; n += 1) await target.attempt('gthulhu/intruder', get(login))
    const sent = tools.asked.filter(({ stdin }) => stdin !== undefined)
    assert.equal(sent.length, 3)
    assert.match(sent[0]?.stdin ?? '', /127\.0\.0\.1/)
    assert.deepEqual(
      sent.slice(1).map(({ stdin }) => given(stdin).token),
      ['user-token', 'user-token'],
    )
    assert.ok(sent.every((one) => one.secret === true))
  })

  it('none where the manager does not take the password', async (t) => {
    const { target } = bench(t, [
      ['kubectl get secret', { stdout: admin }],
      [exec, { stdout: seen({ http: { status: 401, headers: {}, body: 'no' } }) }],
    ])
    await assert.rejects(target.attempt('gthulhu/intruder', get(login)), {
      code: 'bad-attempt',
      message: /it answered 401/,
    })
  })
})
