import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FlowRecord } from '@bulkhead/verdict'
import { accessLine } from './access-log.js'

const record = {
  start: '2026-01-02T03:04:05.678Z',
  durationMs: 12.6,
  source: { ip: '172.18.0.1' },
  http: {
    method: 'GET',
    host: 'istioexplained.io',
    path: '/a',
    status: 200,
    route: 'HTTPRoute/shop/r',
    upstream: 'shop/web-api-1',
  },
  outcome: 'allow',
  symptom: 'ok',
  steps: [],
} as unknown as FlowRecord

test('a request at a gateway is one line, whatever is in it', () => {
  assert.equal(
    accessLine(record),
    '2026-01-02T03:04:05.678Z 172.18.0.1 "GET istioexplained.io/a" 200 13ms route=HTTPRoute/shop/r upstream=shop/web-api-1 -',
  )
  const denied = {
    ...record,
    http: { method: 'GET', host: 'x"\n', path: '/', status: 403 },
    outcome: 'deny',
    symptom: 'rbac-403',
    decidedBy: 0,
    steps: [{ code: 'authz.no-rule-allows' }],
  } as unknown as FlowRecord
  assert.equal(
    accessLine(denied),
    '2026-01-02T03:04:05.678Z 172.18.0.1 "GET x\\"\\n/" 403 13ms route=- upstream=- "rbac-403; authz.no-rule-allows"',
  )
})
