import { test } from 'node:test'
import type { PolicyDiff } from '@bulkhead/analysis'
import type { ManifestsEvent } from '@bulkhead/local-cluster'
import type { Step, Verdict } from '@bulkhead/verdict'
import { matchesGolden } from '../golden.js'
import { eventText } from './event-text.js'

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
  { kind: 'rollout', workloads: ['shop/web-api'], state: 'complete', waitingFor: [], ms: 1234 },
  {
    kind: 'rollout',
    workloads: ['shop/web-api', 'shop/sleep'],
    state: 'stuck',
    waitingFor: ['shop/web-api-7c9-xk2lp'],
    ms: 30_004,
  },
]

test('what became of a save is told in plain words', () => {
  matchesGolden(`${events.map((event) => eventText(event, '12:03:04')).join('\n')}\n`, 'up/saves.txt')
})
