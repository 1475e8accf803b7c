import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FlowRecord } from '@bulkhead/verdict'
import { recordOf } from './result.js'

const record = (id: number, transport: FlowRecord['transport'], outcome: FlowRecord['outcome']): FlowRecord => ({
  id,
  generation: 1,
  start: '2026-01-01T00:00:00Z',
  durationMs: 1,
  source: { ip: '10.244.1.2' },
  destination: { port: transport === 'dns' ? 53 : 443 },
  protocol: transport === 'dns' ? 'UDP' : 'TCP',
  transport,
  outcome,
  steps: [],
  symptom: 'ok',
  flag: '-',
  bytesSent: 0,
  bytesReceived: 0,
})

describe('the record that decides, of a name asked for and a connection made', () => {
  const asked = record(1, 'dns', 'allow')
  const refused = record(2, 'dns', 'deny')
  const open = record(3, 'plaintext', 'allow')
  const shut = record(4, 'plaintext', 'deny')
  const cases: readonly (readonly [name: string, flows: readonly FlowRecord[], id: number | undefined])[] = [
    ['is of the name that was refused: there is no connection then', [refused], 2],
    ['is of the connection that was stopped', [asked, shut], 4],
    ['is of the connection that was let through', [asked, open], 3],
    ['is of the connection also when another form of the name was refused first', [refused, asked, open], 3],
    ['is of the connection that was stopped, and not of that form', [refused, asked, shut], 4],
    ['is none when a name was asked for and no more', [asked], undefined],
    ['is none of nothing', [], undefined],
  ]
  for (const [name, flows, id] of cases) it(name, () => assert.equal(recordOf(flows)?.id, id))
})
