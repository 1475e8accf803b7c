import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import { request, rule } from '../testing/arbitrary-requests.js'
import { authorizationPolicy } from '../testing/objects.js'
import { src } from '../testing/scene.js'
import { behindWaypoint, svc, wp } from '../testing/waypoint-scene.js'
import type { Flow, Step, Verdict } from '../types.js'

/* What must hold of a waypoint whatever the policies are. BULKHEAD_SEED repeats a run, BULKHEAD_LONG=1 makes it long. */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 3000 : 200
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)

type Spec = NonNullable<AuthorizationPolicy['spec']>
type Action = 'ALLOW' | 'DENY'

interface Policy {
  readonly namespace: string
  readonly action: Action
  readonly where: object
  readonly rules: Spec['rules']
}

const group = 'gateway.networking.k8s.io'
const onService = { targetRefs: [{ group: '', kind: 'Service', name: 'dst' }] }
const onPod = { selector: { matchLabels: { app: 'dst' } } }
const where = fc.constantFrom<object>(
  onService,
  onService,
  { targetRefs: [{ group, kind: 'Gateway', name: 'wp' }] },
  { targetRefs: [{ group, kind: 'GatewayClass', name: 'istio-waypoint' }] },
  { targetRefs: [{ group: '', kind: 'Service', name: 'other' }] },
  onPod,
)
const policy: fc.Arbitrary<Policy> = fc.record({
  namespace: fc.constantFrom('app', 'app', 'app', 'istio-system', 'other'),
  action: fc.constantFrom<Action>('ALLOW', 'ALLOW', 'DENY'),
  where,
  rules: fc
    .array(rule, { minLength: 1, maxLength: 3 })
    .map((rules) => JSON.parse(JSON.stringify(rules)) as Spec['rules']),
})
const policies = fc.array(policy, { maxLength: 4 })

const named = (policy: Policy, name: string): Resource => {
  const { namespace, action, where: attached, rules } = policy
  return authorizationPolicy(`${namespace}/${name}`, { action, ...attached, ...(rules && { rules }) })
}
const all = (set: readonly Policy[]): Resource[] => set.map((one, index) => named(one, `p${index}`))

type Asked = NonNullable<Flow['http']>

const asked: fc.Arbitrary<Asked> = request.map(({ method, host, path, headers }) => ({
  method,
  path,
  headers,
  ...(host !== '' && { host }),
}))

function ask(resources: readonly Resource[], http: Asked): Verdict {
  return judge({ from: src, to: svc, port: 80, http }, compile([...behindWaypoint, wp, ...resources]))
}

const open = ({ outcome }: Verdict): boolean => outcome === 'allow'
const atWaypoint = ({ steps }: Verdict): Step | undefined => steps.find(({ point }) => point === 'waypoint')

/** A law over random sets, a further policy and a request; it answers whether it had something to say. */
function check(t: TestContext, law: (set: readonly Policy[], added: Policy, http: Asked) => boolean): void {
  let said = 0
  fc.assert(
    fc.property(policies, policy, asked, (set, added, http) => {
      if (law(set, added, http)) said++
    }),
    { numRuns, seed },
  )
  t.diagnostic(`seed ${seed}, ${numRuns} sets, ${said} to the point`)
  assert.ok(said * 100 >= numRuns, 'hardly ever')
}

test('a DENY policy more opens nothing', (t) => {
  check(t, (set, added, http) => {
    const now = open(ask([...all(set), named({ ...added, action: 'DENY' }, 'added')], http))
    const before = open(ask(all(set), http))
    assert.ok(before || !now)
    return before && !now
  })
})

test('an ALLOW policy more, beside one that is there, closes nothing', (t) => {
  check(t, (set, added, http) => {
    const beside = { ...added, action: 'ALLOW', namespace: 'app', where: onService } as const
    const first = named({ ...beside, rules: [] }, 'first')
    const before = open(ask([...all(set), first], http))
    const now = open(ask([...all(set), first, named(beside, 'added')], http))
    assert.ok(now || !before)
    return now && !before
  })
})

test('a rule less in an ALLOW policy opens nothing, and in a DENY policy closes nothing', (t) => {
  check(t, (set, added, http) => {
    const less = { ...added, rules: added.rules?.slice(1) }
    const with_ = open(ask([...all(set), named(added, 'added')], http))
    const without = open(ask([...all(set), named(less, 'added')], http))
    assert.ok(added.action === 'ALLOW' ? with_ || !without : without || !with_)
    return with_ !== without
  })
})

test('an empty ALLOW closes what no other opens, and an ALLOW for all beside it opens what no DENY closes', (t) => {
  check(t, (set, _added, http) => {
    const empty = named({ namespace: 'app', action: 'ALLOW', where: onService, rules: [] }, 'empty')
    const everything = named({ namespace: 'app', action: 'ALLOW', where: onService, rules: [{}] }, 'everything')
    const denies = set.filter(({ action }) => action === 'DENY')
    const said = atWaypoint(ask([...all(denies), empty], http))
    assert.notEqual(said?.outcome, 'allow')
    const opened = atWaypoint(ask([...all(set), empty, everything], http))
    assert.ok(
      opened?.code === 'authz.rule-allows' ||
        opened?.code === 'authz.rule-denies' ||
        opened?.code === 'request.refused',
    )
    return opened.code === 'authz.rule-allows'
  })
})

test('the order of the objects says nothing', (t) => {
  check(t, (set, added, http) => {
    const given = [...all(set), named(added, 'added')]
    assert.deepEqual(ask([...given].reverse(), http).steps, ask(given, http).steps)
    return given.length > 2
  })
})

test('policies of pods say nothing at the waypoint, and policies of the waypoint nothing at the pod', (t) => {
  const ofPod = (of: Verdict): readonly Step[] => of.steps.filter(({ point }) => point === 'ztunnel')
  check(t, (set, added, http) => {
    const before = ask(all(set), http)
    const pod = ask([...all(set), named({ ...added, namespace: 'app', where: onPod }, 'added')], http)
    assert.deepEqual(atWaypoint(pod), atWaypoint(before))
    const service = ask([...all(set), named({ ...added, namespace: 'app', where: onService }, 'added')], http)
    assert.deepEqual(ofPod(service), ofPod(before))
    return atWaypoint(service)?.code !== atWaypoint(before)?.code
  })
})
