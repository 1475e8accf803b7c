import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FlowRecord, Step } from '@bulkhead/verdict'
import { attemptText } from './render/words.js'
import { recordOf } from './result.js'
import { runScenarios } from './runner.js'
import { fakeTarget, runOne } from './testing/fake-target.js'
import * as sample from './testing/samples.js'
import type { Attempt, Evidence, Observation, Scenario } from './types.js'

const get = {
  kind: 'http',
  to: { service: 'shop/shop-gateway-istio' },
  port: 80,
  http: { method: 'GET', path: '/', headers: { host: 'istioexplained.io' } },
} as const satisfies Attempt

/** From outside, through the gateway's hop, stopped at the hop behind it. */
const scenario: Scenario = {
  ...sample.attack,
  id: 'outside',
  from: 'outside',
  needs: ['50-identity'],
  attempt: get,
  expect: {
    walls: [
      {
        layer: '50-identity',
        symptom: 'gateway-503',
        code: 'authz.no-rule-allows',
        policy: 'AuthorizationPolicy/shop/allow-nothing',
      },
    ],
    through: 'never',
  },
}

const forwarded: Step = {
  hop: 0,
  point: 'gateway',
  engine: 'gateway-api',
  layer: '70-ingress',
  outcome: 'allow',
  code: 'route.forwards',
  policy: 'HTTPRoute/shop/web-api-route',
}
const behind: Step = { ...sample.denial, hop: 1 }
const steps = [forwarded, behind]
const request: FlowRecord = sample.record({
  id: 2,
  transport: 'http',
  source: { ip: '172.18.0.1' },
  steps,
  decidedBy: 1,
  symptom: 'gateway-503',
  http: { method: 'GET', host: 'istioexplained.io', path: '/', status: 503 },
})
/** What carried it: a connection of the gateway's own, whose record knows one hop only. */
const upstream = sample.record({ id: 1, decidedBy: 0, steps: [sample.denial] })
const answered: Observation = {
  ...sample.served('upstream connect error or disconnect/reset before headers', 503),
  symptom: 'gateway-503',
}

const options = {
  predict: async () => ({ ...sample.denied, symptom: 'gateway-503', steps, decidedBy: { hop: 1, step: 1 } }) as const,
  attempt: async (from: string): Promise<Evidence> =>
    from === 'outside' ? { observation: answered, flows: [upstream, request] } : sample.through(),
}

describe('a scenario from outside', () => {
  it('agrees when the second hop is what stopped it', async () => {
    const result = await runOne(scenario, options)
    assert.deepEqual(result.differences, [])
    assert.equal(result.status, 'as-expected')
    assert.equal(result.observed?.reason?.code, 'authz.no-rule-allows')
  })

  it('differs when the gateway itself did', async () => {
    const atGateway = {
      ...request,
      decidedBy: 0,
      steps: [{ ...forwarded, outcome: 'deny', code: 'route.no-match' } as const],
    }
    const result = await runOne(scenario, {
      ...options,
      attempt: async (from) => (from === 'outside' ? { observation: answered, flows: [atGateway] } : sample.through()),
    })
    assert.match(result.differences.join(), /expected the reason authz.no-rule-allows, observed route.no-match/)
  })

  it('is read from the record of the request, not from that of what carried it', () => {
    assert.equal(recordOf([upstream, request])?.id, 2)
    const through = { ...request, outcome: 'allow', id: 3 } as const
    assert.equal(recordOf([upstream, through])?.id, 3)
    assert.equal(recordOf([through, request])?.id, 2)
  })

  it('that was dropped is seen as silence, which its record tells from a gateway that hangs', async () => {
    const drop: Step = { ...sample.denial, hop: 0, point: 'cni-ingress', layer: '50-identity', engine: 'kubernetes' }
    const [wall] = scenario.expect.walls
    assert.ok(wall)
    const closed = { ...scenario, expect: { walls: [{ ...wall, symptom: 'timeout' }], through: 'never' } } as const
    const silent: Observation = { ...sample.reset, symptom: 'no-answer', phase: 'request' }
    const dropped = { ...request, symptom: 'timeout', flag: 'NETWORK_POLICY', steps: [drop], decidedBy: 0 } as const
    const run = (from: string, flow: FlowRecord) =>
      runOne(
        { ...closed, from },
        {
          predict: async () => ({
            ...sample.denied,
            symptom: 'timeout',
            steps: [drop],
            decidedBy: { hop: 0, step: 0 },
          }),
          attempt: async (caller) => (caller === from ? { observation: silent, flows: [flow] } : sample.through()),
        },
      )
    const agreed = await run('outside', dropped)
    assert.deepEqual([agreed.differences, agreed.observed?.symptom], [[], 'timeout'])
    // What the client saw is kept as it was.
    assert.equal(agreed.observation?.symptom, 'no-answer')
    const hangs = await run('outside', { ...dropped, symptom: 'gateway-504' })
    assert.deepEqual(hangs.differences, ['expected the symptom timeout, observed no-answer'])
    const inside = await run('shop/api-gateway', dropped)
    assert.deepEqual(inside.differences, ['expected the symptom timeout, observed no-answer'])
  })

  it('is named as one, with the host that it asks for', () => {
    const text = (http: Attempt['http']): string =>
      attemptText({ from: 'outside', attempt: { ...get, ...(http === undefined ? {} : { http }) } })
    assert.equal(text(get.http), 'the outside → shop/shop-gateway-istio:80 at istioexplained.io')
    assert.equal(
      text({ ...get.http, method: 'POST', path: '/x' }),
      'the outside → shop/shop-gateway-istio:80 POST /x at istioexplained.io',
    )
  })

  it('says TLS, another name in the ClientHello, and a login', () => {
    const text = (attempt: Attempt): string => attemptText({ from: 'demo/a', attempt })
    const https = { kind: 'http', to: { host: 'a.b' }, port: 443, tls: {} } as const
    assert.equal(text(https), 'demo/a → https://a.b')
    assert.equal(text({ ...https, port: 8443, tls: { sni: 'a.b' } }), 'demo/a → https://a.b:8443')
    assert.equal(text({ ...https, tls: { sni: 'c.d' } }), 'demo/a → https://a.b, as c.d in its ClientHello')
    const login = { kind: 'postgres', to: { service: 'demo/db' }, port: 5432 } as const
    assert.equal(text(login), 'demo/a → demo/db:5432, postgres')
    const passwordFrom = { secret: 'demo/s', key: 'k' }
    assert.equal(text({ ...login, postgres: { passwordFrom } }), 'demo/a → demo/db:5432, postgres login')
  })
})

describe('a scenario about a layer that is off', () => {
  it('is skipped: nothing is tried, and the reason is said', async () => {
    const target = fakeTarget({ on: ['40-mtls'] })
    const { results } = await runScenarios(target, [scenario], { root: '/nowhere' })
    assert.equal(results[0]?.status, 'skipped')
    assert.equal(results[0]?.because, 'it needs 50-identity, which is off')
    assert.deepEqual(target.calls, [])
  })

  it('names all of them', async () => {
    const { because } = await runOne({ ...scenario, needs: ['40-mtls', '50-identity'] }, { on: [] })
    assert.equal(because, 'it needs 40-mtls and 50-identity, which are off')
  })

  it('is told from a layer that no manifest is of', async () => {
    const { because } = await runOne({ ...scenario, needs: ['70-ingress'] })
    assert.equal(because, 'it needs 70-ingress, which is not there')
  })
})

describe('a default deny of several layers', () => {
  const { layer: _, ...mixed } = sample.denial
  const [nothing, own] = sample.denial.isolatedBy ?? []
  assert.ok(nothing !== undefined && own !== undefined)
  const of = (layer: string): Step => ({ ...mixed, isolatedBy: [nothing, { ...own, layer }] })
  const run = (step: Step) =>
    runOne(sample.attack, {
      predict: async () => ({ ...sample.denied, steps: [step] }),
      attempt: async (from) =>
        from === 'shop/sleep'
          ? sample.through()
          : { observation: sample.reset, flows: [sample.record({ steps: [step] })] },
    })

  it('is that of the wall when one of them is the wall’s', async () => {
    assert.deepEqual((await run(of('70-ingress'))).differences, [])
  })

  it('is another’s when none is', async () => {
    const step = {
      ...of('70-ingress'),
      isolatedBy: [
        { ...nothing, layer: '60-requests' },
        { ...own, layer: '70-ingress' },
      ],
    }
    const { differences } = await run(step)
    assert.match(differences.join(), /expected the layer 50-identity to decide, predicted 60-requests and 70-ingress/)
  })
})

describe('a redirect', () => {
  const scenarioOf = (status: number): Scenario => ({
    ...sample.legitimate,
    expect: { walls: [], through: { status, headers: { location: 'https://a.b/' } } },
  })
  const redirect = (location: string): Evidence =>
    sample.through({
      ...sample.served('', 301),
      symptom: 'redirected',
      http: { status: 301, headers: { location }, body: '' },
    })
  const run = (status: number, location = 'https://a.b/') =>
    runOne(scenarioOf(status), {
      predict: async () => ({ ...sample.allowed, symptom: 'redirected' }),
      attempt: async () => redirect(location),
    })

  it('gets through where one is expected', async () => {
    const result = await run(301)
    assert.deepEqual([result.differences, result.observed?.outcome], [[], 'through'])
  })

  it('is a difference where an answer is expected, or another address', async () => {
    assert.match((await run(200)).differences.join(), /expected the symptom ok, predicted redirected/)
    assert.match(
      (await run(301, 'https://evil/')).differences.join(),
      /expected the header location to be "https:\/\/a.b\/", observed "https:\/\/evil\/"/,
    )
  })
})

describe('a policy that changes under a client’s connection to a gateway', () => {
  const held: Scenario = {
    ...scenario,
    attempt: { ...get, hold: true, again: true },
    change: { without: ['AuthorizationPolicy/shop/web-api-rbac'] },
  }
  const after = (changes: Partial<Observation>) =>
    runOne(held, {
      ...options,
      attempt: async (from, _, how) => {
        if (from !== 'outside') return sample.through()
        await how?.held?.()
        return { observation: { ...answered, ...changes }, flows: [{ ...request, outcome: 'allow' }, request] }
      },
    })

  it('shows in the next answer on it; the connection itself is not closed', async () => {
    assert.deepEqual((await after({ phase: 'held' })).differences, [])
  })

  it('proves nothing when the first answer was that one already', async () => {
    const { differences } = await after({ phase: 'answer' })
    assert.match(differences.join(), /expected another answer on an open connection; it was never open/)
  })
})
