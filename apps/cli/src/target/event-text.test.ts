import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyDiff } from '@bulkhead/analysis'
import type { ManifestsEvent, Refusal } from '@bulkhead/local-cluster'
import type { Step, Verdict } from '@bulkhead/verdict'
import { matchesGolden } from '../golden.js'
import { eventText, scanLines } from './event-text.js'

const step = (fields: Partial<Step>): Step => ({
  hop: 0,
  point: 'ztunnel',
  engine: 'istio',
  layer: '50-identity',
  outcome: 'allow',
  code: 'authz.rule-allows',
  policy: 'AuthorizationPolicy/shop/web-api-rbac',
  rule: 0,
  at: 'k8s/layers/50-identity/shop/web-api-rbac.yaml:18',
  ...fields,
})
const { policy: _, rule: __, at: ___, ...unnamed } = step({})
const allow: Verdict = { outcome: 'allow', symptom: 'ok', hops: [], steps: [step({})], text: '' }
const deny: Verdict = {
  outcome: 'deny',
  symptom: 'reset',
  decidedBy: { hop: 0, step: 0 },
  hops: [],
  steps: [
    {
      ...unnamed,
      outcome: 'deny',
      code: 'authz.no-rule-allows',
      isolatedBy: [
        { policy: 'AuthorizationPolicy/shop/web-api-rbac', at: 'k8s/layers/50-identity/shop/web-api-rbac.yaml:17' },
      ],
      facts: { pod: 'shop/web-api', identity: 'spiffe://cluster.local/ns/shop/sa/sleep', port: 8080 },
    },
  ],
  text: '',
}
const changed: Extract<ManifestsEvent, { kind: 'changed' }> & { readonly diff: PolicyDiff } = {
  kind: 'changed',
  generation: 3,
  files: ['k8s/layers/50-identity/shop/web-api-rbac.yaml'],
  diff: {
    opened: [{ from: 'shop/notsleep', to: 'shop/web-api:8080', before: deny, after: allow }],
    closed: [{ from: 'shop/sleep', to: 'shop/web-api:8080', before: allow, after: deny }],
    decidedElsewhere: [],
    objects: { added: [], changed: ['AuthorizationPolicy/shop/web-api-rbac'], removed: [] },
    asked: 42,
  },
  closedConnections: 1,
  ms: 153,
  rolling: [],
  warnings: [],
  admission: { refused: [], news: [], mended: [], warnings: [] },
}
const { diff: _diff, ...undiffed } = changed
const nothing = { ...changed.diff, opened: [], closed: [] }
const file = (name: string) => `k8s/workloads/shop/${name}.yaml`

const refusal: Refusal = {
  id: 'Pod/sandbox/hacker-root',
  at: 'k8s/workloads/sandbox/hacker-root.yaml:3',
  operation: 'CREATE',
  refused: 'object',
  outcome: 'deny',
  message: 'admission webhook "vpol" denied the request: no',
  told: 'Error from server: error when creating "hacker-root.yaml": admission webhook "vpol" denied the request: no',
  policy: 'ValidatingPolicy/disallow-root-user',
  policyAt: 'k8s/layers/10-admission/disallow-root-user/policy.yaml:20',
  path: '/spec',
  objectAt: 'k8s/workloads/sandbox/hacker-root.yaml:7:1',
}
const noPods: Refusal = {
  ...refusal,
  id: 'Deployment/shop/web',
  operation: 'UPDATE',
  refused: 'pods',
  message: 'pods "web-1" is forbidden',
  told: 'Error creating: pods "web-1" is forbidden',
  policy: 'Namespace/shop',
}
const unknown: Refusal = {
  id: 'ConfigMap/shop/a',
  at: 'a.yaml:1',
  operation: 'UPDATE',
  refused: 'object',
  stays: true,
  outcome: 'unknown',
  message: 'what admission would say is not known here: x',
  told: 'what admission would say is not known here: x',
}
const kept: Refusal = { ...refusal, operation: 'DELETE', stays: true }

const events: readonly ManifestsEvent[] = [
  {
    kind: 'unread',
    files: [
      { file: 'k8s/layers/70-ingress/shop/second.yaml', kustomization: 'k8s/layers/70-ingress/kustomization.yaml' },
    ],
  },
  changed,
  {
    kind: 'refused',
    files: changed.files,
    message:
      'k8s/layers/50-identity/shop/web-api-rbac.yaml:17:3: AuthorizationPolicy/shop/web-api-rbac: unknown field "rulez" in spec; did you mean "rules"?\nk8s/layers/50-identity/shop/web-api-rbac.yaml:21:1: and another mistake',
  },
  { kind: 'refused', files: [], message: 'saves may not be seen any more: ENOSPC' },
  {
    ...changed,
    files: ['web-api', 'recommendation', 'purchase-history', 'sleep', 'notsleep'].map(file),
    diff: {
      ...nothing,
      objects: { added: [], changed: ['ConfigMap/shop/texts', 'Deployment/shop/web-api'], removed: [] },
    },
    closedConnections: 0,
    rolling: ['shop/web-api'],
    warnings: [
      {
        severity: 'warning',
        code: 'selector.selects-nothing',
        message: 'selects no pod \u001b[2J',
        at: { file: file('web-api'), line: 3, column: 1 },
      },
    ],
  },
  { ...undiffed, undiffed: 'Invalid array length', rolling: ['shop/web-api'] },
  {
    ...changed,
    diff: nothing,
    closedConnections: 0,
    admission: {
      refused: [refusal, noPods, unknown, kept],
      news: [refusal, noPods, unknown, kept],
      mended: ['Pod/shop/other'],
      warnings: ['would violate PodSecurity "restricted:latest": seccompProfile \u001b[2J'],
    },
  },
  { kind: 'rollout', workloads: ['shop/web-api'], state: 'complete', waitingFor: [], ms: 1234 },
  {
    kind: 'rollout',
    workloads: ['shop/web-api', 'shop/sleep'],
    state: 'stuck',
    waitingFor: ['shop/web-api-7c9-xk2lp'],
    ms: 30_004,
  },
]

test('what a layer that is up again would refuse is counted, and the first of it named', () => {
  assert.deepEqual(scanLines({}), [])
  assert.deepEqual(scanLines({ wouldRefuse: [refusal] }), [
    '1 object is there and stays, and would be refused now:',
    '  Pod/sandbox/hacker-root (k8s/workloads/sandbox/hacker-root.yaml:3): ValidatingPolicy/disallow-root-user',
  ])
  const many = scanLines({ wouldRefuse: Array.from({ length: 9 }, () => unknown) })
  assert.equal(many.length, 8)
  assert.equal(many[0], '9 objects are there and stay, and would be refused now:')
  assert.equal(many.at(-1), '  and 3 more; npx bulkhead admit -f FILE says why')
})

test('what became of a save is told in plain words', () => {
  matchesGolden(`${events.map((event) => eventText(event, '12:03:04')).join('\n')}\n`, 'up/saves.txt')
})
