import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Document } from 'mongodb'
import { errors } from './testing/expression-errors.js'
import { results, subject } from './testing/expressions.js'
import { contract, refusal } from './testing/servers.js'

contract('expressions', (scene) => {
  const collection = () => scene().db.collection<Document & { _id: number }>('subjects')
  before(async () => {
    await collection().insertOne({ ...subject })
  })
  const evaluated = async (expression: unknown, options: Document = {}): Promise<Document> => {
    const found = await collection()
      .aggregate([{ $project: { _id: 0, value: expression } }], options)
      .toArray()
    return found[0] ?? {}
  }

  for (const [operator, rows] of Object.entries(results)) {
    test(operator, async () => {
      for (const [expression, result] of rows) {
        const expected = result === undefined ? {} : { value: result }
        assert.deepEqual(await evaluated(expression, { promoteValues: false }), expected, JSON.stringify(expression))
      }
    })
  }

  test('what is wrong is told with the number that MongoDB has for it', async () => {
    for (const [expression, code] of errors)
      assert.equal((await refusal(evaluated(expression))).code, code, JSON.stringify(expression))
  })

  test('$$NOW is one for the command', async () => {
    const { value } = await evaluated([{ $type: '$$NOW' }, { $eq: ['$$NOW', '$$NOW'] }])
    assert.deepEqual(value, ['date', true])
  })
})
