import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { startManager } from '../testing/index.js'

interface Line {
  readonly status?: number
  readonly requestId?: string
  readonly code?: string
}

test('contract M23: of a refusal the log has its code and its request, and neither what was sent nor what was answered', async (t) => {
  const manager = await startManager(t)
  const admin = manager.as(manager.admin)
  const answers = [
    await manager.agent
      .post('/api/v1/auth/login')
      .send({ username: 'sent-name', password: 'sent-password' })
      .expect(401),
    await admin.post('/api/v1/users').send({ username: ' sent-name', password: 'sent-password' }).expect(422),
    await admin.get('/api/v1/users/nobody').expect(404),
    await manager.agent.get('/api/v1/users').set('authorization', 'Bearer sent.token.x').expect(401),
  ]
  for (const { status, body } of answers) {
    const { requestId, code, error, fields } = body as Required<Line> & {
      error: string
      fields?: { message: string }[]
    }
    const mine = (): string[] => manager.lines.filter((line) => line.includes(requestId))
    await eventually(`the log's line of ${code}`, () => mine().length > 0)
    const [line] = mine().map((text) => JSON.parse(text) as Line)
    assert.deepEqual([line?.status, line?.code], [status, code], mine().join())
    for (const text of ['success', error, ...(fields ?? []).map(({ message }) => message)])
      assert.ok(!mine().join().includes(text), `${text}: ${mine().join()}`)
  }
  assert.doesNotMatch(manager.lines.join('\n'), /sent-|sent\.token|"level":(10|20),/)
})
