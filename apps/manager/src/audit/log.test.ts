import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@bulkhead/service-kit'
import { type Collection, Long, ObjectId } from 'mongodb'
import { schedulerName } from '../http/denied.js'
import type { AuditDoc } from '../store/documents.js'
import { type AuditEntry, createAuditLog, REPORT_ACTION } from './log.js'

const entry: AuditEntry = { action: 'user.create', outcome: 'ok', requestID: 'r-1', ip: '10.0.0.1' }

function recorded(insertOne: (document: AuditDoc) => Promise<unknown>) {
  const lines: string[] = []
  const log = createLog({ name: 'test', write: (line) => lines.push(line) })
  return {
    lines,
    audit: createAuditLog(
      { audit: { insertOne } as unknown as Collection<AuditDoc>, within: (_ms, work) => work() },
      log.log,
      { now: () => 1_700_000_000_000, retentionMs: 5_000 },
    ),
  }
}

test('an entry is stored with its time as a long, and without what is not known', async () => {
  const stored: AuditDoc[] = []
  const { audit, lines } = recorded(async (document) => stored.push(document))
  await audit.record({ ...entry, userID: undefined } as unknown as AuditEntry)
  const [document] = stored
  assert.deepEqual(
    { ...document, _id: 0 },
    {
      _id: 0,
      timestamp: Long.fromNumber(1_700_000_000_000),
      expiresAt: new Date(1_700_000_005_000),
      ...entry,
    },
  )
  assert.ok(document?._id instanceof ObjectId)
  assert.deepEqual(lines, [])
})

test('what the database does not take is in the log, whole, and nobody is stopped by it', async () => {
  const { audit, lines } = recorded(() => Promise.reject(new Error('no database')))
  const userID = new ObjectId('0123456789abcdef01234567')
  await audit.record({ ...entry, userID, username: 'ann', target: 'users/1', code: 'NAME_TAKEN', outcome: 'refused' })
  assert.equal(lines.length, 1)
  const line = JSON.parse(lines[0] ?? '') as { level: number; msg: string; audit: Record<string, unknown> }
  assert.deepEqual([line.level, line.msg], [50, 'an entry of the audit log could not be stored'])
  const { id, ...rest } = line.audit
  assert.match(String(id), /^[0-9a-f]{24}$/)
  assert.deepEqual(rest, {
    timestamp: 1_700_000_000_000,
    userID: '0123456789abcdef01234567',
    action: 'user.create',
    outcome: 'refused',
    requestID: 'r-1',
    ip: '10.0.0.1',
    username: 'ann',
    target: 'users/1',
    code: 'NAME_TAKEN',
  })
})

test('who has the schedulers’ key may make up as many nodes as he likes, and fills nothing; a user is noted all the same', async () => {
  const stored: AuditDoc[] = []
  const { audit } = recorded(async (document) => stored.push(document))
  const report = (username: string) =>
    audit.record({ ...entry, action: REPORT_ACTION, outcome: 'refused', code: 'NODE_NOT_FOUND', username })
  for (let n = 0; n < 2_000; n++) await report(`scheduler:${n}`)
  assert.ok(stored.length >= 100 && stored.length <= 600, `${stored.length} entries`)
  const before = stored.length
  await audit.record({ ...entry, outcome: 'refused', code: 'NAME_TAKEN', userID: new ObjectId() })
  assert.equal(stored.length, before + 1)
})

test('a node’s name is no longer than names are, whatever was signed', () => {
  assert.equal(schedulerName('node-1'), 'scheduler:node-1')
  assert.equal(schedulerName('x'.repeat(10_000)), `scheduler:${'x'.repeat(253)}`)
})
