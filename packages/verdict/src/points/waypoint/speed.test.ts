import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import { onService, withWaypoint } from '../../testing/waypoint-scene.js'
import { best } from '../../testing/yardstick.js'
import type { WaypointEvidence } from '../../types.js'
import { judgeAt } from '../judge-at.js'

/* One request at a waypoint with a thousand rules, of which only the last one is for it, or none. */

const RULES = 1_000
const VERDICT_US = 50
const principal = 'cluster.local/ns/app/sa/src'

type Rule = NonNullable<NonNullable<AuthorizationPolicy['spec']>['rules']>[number]

const from = (name: string): Rule => ({ from: [{ source: { principals: [name] } }] })
const to = (operation: object): Rule => ({ to: [{ operation }] })
const number = (index: number): string => String(index).padStart(4, '0')

/** Ways to write a thousand rules of which none is for `GET /here` by app/src, and what the last one adds to be so. */
const sets: Readonly<Record<string, readonly [each: (index: number) => Rule, last: Rule]>> = {
  'callers and paths': [
    (index) => ({
      ...from(`cluster.local/ns/app/sa/s${index}`),
      ...to({ methods: ['GET'], paths: [`/api/${index}/*`] }),
    }),
    { ...from(principal), ...to({ methods: ['GET'], paths: ['/here'] }) },
  ],
  'one caller, many prefixes': [
    (index) => ({ ...from(principal), ...to({ methods: ['GET', 'POST'], paths: [`/here/${number(index)}*`] }) }),
    { ...from(principal), ...to({ paths: ['/he*'] }) },
  ],
  templates: [(index) => to({ paths: [`/${number(index)}/{*}/x/{**}`] }), to({ paths: ['/{**}'] })],
  headers: [
    (index) => ({ when: [{ key: `request.headers[x-${index % 20}]`, values: [`v${index}*`] }] }),
    { when: [{ key: 'request.headers[x-foo]', values: ['*'] }] },
  ],
  'blocks of addresses': [
    (index) => ({ from: [{ source: { ipBlocks: [`172.${index % 200}.${index % 100}.0/24`] } }] }),
    { from: [{ source: { ipBlocks: ['10.244.0.0/16'] } }] },
  ],
}

function evidence(policies: readonly Resource[]) {
  const snapshot = withWaypoint(policies)
  const [waypoint] = [...snapshot.pods.values()].filter((pod) => pod.waypoint !== undefined)
  const service = snapshot.services.get('app/dst')
  assert.ok(waypoint && service)
  const asked: WaypointEvidence = {
    waypoint,
    peer: { ip: '10.244.1.9', identity: `spiffe://${principal}` },
    to: { service, port: 80 },
    request: {
      method: 'GET',
      host: 'dst.app',
      path: '/here',
      headers: { 'x-foo': 'bar', 'x-7': 'v', 'user-agent': 'test' },
    },
  }
  return () => judgeAt('waypoint', asked, snapshot)
}

for (const [name, [each, last]] of Object.entries(sets)) {
  const others = Array.from({ length: RULES }, (_, index) => each(index))
  for (const [outcome, rules] of [
    ['deny', others],
    ['allow', [...others.slice(1), last]],
  ] as const) {
    test(`${RULES} rules by ${name}, ${outcome}: under ${VERDICT_US} microseconds`, (t) => {
      const ask = evidence([onService({ rules })])
      assert.equal(ask().outcome, outcome)
      for (let warm = 0; warm < 500; warm++) ask()
      const perRound = 20
      const us =
        best(40, () => {
          for (let again = 0; again < perRound; again++) ask()
        }) / perRound
      t.diagnostic(`${us.toFixed(1)} µs`)
      assert.ok(us < VERDICT_US, `${us} µs`)
    })
  }
}
