import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { anyRequest, elsewhere, routing } from '../testing/arbitrary-routes.js'
import { type NaiveAnswer, naiveRoute } from '../testing/naive-routes.js'
import { index, services } from '../testing/routes.js'
import { routeRequest } from './route.js'
import type { HttpRequest, RouteDecision } from './types.js'

/*
 * Routing against a second evaluator, and against itself: 1,000 random sets of objects with a few requests each, 10,000
 * with BULKHEAD_LONG=1. BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 10_000 : 1000
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)

const labels = {
  shop: { team: 'x' },
  other: { team: 'x' },
  'shop-a': { team: 'y' },
}
const serviceNames = new Set(services.keys())
type Asked = HttpRequest & { readonly port: number }

const requests = fc.array(anyRequest, { minLength: 1, maxLength: 5 })

function decide(resources: readonly Resource[], asked: readonly Asked[]): RouteDecision[] {
  const routes = index(resources, labels)
  return asked.map(({ port, ...request }) => routeRequest(routes, 'shop/front', port, request))
}

/** The decision in the naive matcher's words. */
function short(decision: RouteDecision, resources: readonly Resource[]): NaiveAnswer {
  const { code, policy, rule, at } = decision.step
  if (code === 'route.no-host' || code === 'route.no-match') return { code }
  const resource = resources.find(({ id }) => id === policy) ?? assert.fail(`${policy} is there`)
  const lines = (matches: number) =>
    Array.from({ length: matches }, (_, match) => resource.position(['spec', 'rules', rule ?? 0, 'matches', match]))
  const found = lines(3).findIndex(({ file, line }) => `${file}:${line}` === at)
  const said = { code, policy: resource.id, rule: rule ?? -1, match: found === -1 ? 0 : found }
  if (decision.kind !== 'forward') return said
  const backends = decision.backends
    .filter(({ weight }) => weight > 0)
    .map(({ service, weight, invalid }) => `${service} ${weight}${invalid === undefined ? '' : '!'}`)
  return { ...said, backends }
}

test('the engine and the naive matcher agree', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(routing, requests, (resources, asked) => {
      const decisions = decide(resources, asked)
      for (const [i, { port, ...request }] of asked.entries()) {
        const naive = naiveRoute(resources, labels, serviceNames, 'shop/front', port, request)
        assert.deepEqual(short(decisions[i] ?? assert.fail(), resources), naive)
        seen.set(naive.code, (seen.get(naive.code) ?? 0) + 1)
      }
    }),
    { numRuns, seed },
  )
  // Random routes that never route would agree too.
  for (const code of ['route.forwards', 'route.no-backend', 'route.no-match', 'route.no-host'])
    assert.ok((seen.get(code) ?? 0) > numRuns / 20, `${code} ${JSON.stringify([...seen])}`)
})

test('the order of documents never matters', () => {
  fc.assert(
    fc.property(
      routing.chain((resources) =>
        fc.tuple(
          fc.constant(resources),
          fc.shuffledSubarray([...resources], { minLength: resources.length, maxLength: resources.length }),
        ),
      ),
      requests,
      ([resources, shuffled], asked) => {
        assert.deepEqual(decide(shuffled, asked), decide(resources, asked))
      },
    ),
    { numRuns, seed },
  )
})

test('a further route for other hosts changes nothing', () => {
  fc.assert(
    fc.property(routing, elsewhere, requests, (resources, further, asked) => {
      const withoutHosts = (decision: RouteDecision) => {
        const { facts: { has: _, ...facts } = {}, ...step } = decision.step
        return { ...decision, step: { ...step, facts } }
      }
      assert.deepEqual(
        decide([...resources, further], asked).map(withoutHosts),
        decide(resources, asked).map(withoutHosts),
      )
    }),
    { numRuns, seed },
  )
})
