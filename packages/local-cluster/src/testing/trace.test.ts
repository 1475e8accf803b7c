import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import type { FlowRecord } from '@bulkhead/verdict'
import { Trace } from './trace.js'

const record = (start: string, more: Partial<FlowRecord>): FlowRecord => ({
  id: 1,
  generation: 1,
  start,
  durationMs: 100,
  source: { pod: 'shop/sleep-1', ip: '10.244.0.1' },
  destination: { pod: 'shop/web-1', port: 8080 },
  protocol: 'TCP',
  transport: 'hbone',
  outcome: 'allow',
  steps: [],
  symptom: 'ok',
  flag: '-',
  bytesSent: 60,
  bytesReceived: 0,
  ...more,
})

test('a failed request is told with the connections that failed in its time, and with what the pods logged then', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(
    join(folder, 'web-1.log'),
    [
      '2026-01-01T00:00:00.000Z INFO  listening',
      '2026-01-01T00:01:00.200Z INFO  stopping signal=SIGTERM',
      '--- 2026-01-01T00:01:00.400Z web: ended',
      '{"level":30,"time":"2026-01-01T00:01:00.300Z","msg":"in JSON"}',
      'no time',
    ].join('\n'),
  )
  let told: (record: FlowRecord) => void = () => assert.fail('nobody listens')
  const trace = new Trace({ onFlow: (listener) => (told = listener) }, folder)
  const at = '2026-01-01T00:01:00.000Z'
  told(record(at, { symptom: 'reset', flag: 'CONNECT', error: 'nothing listens' }))
  told(record('2026-01-01T00:01:00.010Z', { outcome: 'deny', symptom: 'reset', error: 'meant' }))
  told(record('2026-01-01T00:00:30.000Z', { symptom: 'reset', error: 'long ago' }))
  const started = Date.parse(at)
  assert.deepEqual(trace.of([{ started, ended: started + 500 }]).split('\n  '), [
    `{"started":${started},"ended":${started + 500}}`,
    `${at} +100 ms shop/sleep-1 -> shop/web-1:8080 hbone reset CONNECT 60/0 bytes nothing listens`,
    'web-1.log: 2026-01-01T00:01:00.200Z INFO  stopping signal=SIGTERM',
    'web-1.log: {"level":30,"time":"2026-01-01T00:01:00.300Z","msg":"in JSON"}',
    'web-1.log: --- 2026-01-01T00:01:00.400Z web: ended',
  ])
})
