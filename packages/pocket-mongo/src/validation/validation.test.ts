import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Binary, Decimal128, type Document, Double, Long, ObjectId } from 'bson'
import type { MongoError } from '../errors.js'
import { openStore } from '../store/open.js'
import type { CollectionOptions } from '../store/types.js'
import { jsonSchema } from './json-schema.js'

const valid = (schema: Document, value: unknown): boolean =>
  jsonSchema({ properties: { value: schema } }).test(value === undefined ? {} : { value })

test('bsonType tells the types apart that JSON does not know', () => {
  const values: Readonly<Record<string, unknown>> = {
    int: 5,
    double: new Double(5),
    long: Long.fromNumber(5),
    decimal: Decimal128.fromString('5'),
    string: '5',
    objectId: new ObjectId(),
    date: new Date(),
    bool: true,
    binData: new Binary(Buffer.from('5')),
    null: null,
    object: { five: 5 },
    array: [5],
  }
  for (const [name, value] of Object.entries(values)) {
    for (const other of Object.keys(values)) {
      assert.equal(valid({ bsonType: other }, value), name === other, `${name} as ${other}`)
    }
    assert.equal(valid({ bsonType: ['string', name] }, value), true)
    assert.equal(valid({ bsonType: 'number' }, value), ['int', 'double', 'long', 'decimal'].includes(name), name)
    assert.equal(valid({ type: 'object' }, value), name === 'object')
    assert.equal(valid({ type: 'boolean' }, value), name === 'bool')
  }
})

test('each keyword of draft 4 lets the right values by, and refuses the others', () => {
  const id = new ObjectId()
  const cases: readonly (readonly [Document, unknown, unknown])[] = [
    [{ minimum: 3 }, Long.fromNumber(3), Long.fromNumber(2)],
    [{ minimum: 3, exclusiveMinimum: true }, 3.5, 3],
    [
      { maximum: Long.fromString('9007199254740993') },
      Long.fromString('9007199254740993'),
      Long.fromString('9007199254740994'),
    ],
    [{ maximum: 3, exclusiveMaximum: true }, Decimal128.fromString('2.999'), new Double(3)],
    [{ minimum: 3 }, 'no number', 1],
    [{ multipleOf: 5 }, 15, 16],
    [{ minLength: 2, maxLength: 3 }, '\u{1f600}\u{1f600}', '\u{1f600}'],
    [{ pattern: '^a+$' }, 'aa', 'ab'],
    [{ enum: ['x', 5, id, null] }, new ObjectId(id.toHexString()), '5'],
    [{ enum: [{ a: 1 }] }, { a: new Double(1) }, { a: 2 }],
    [{ minItems: 1, maxItems: 2 }, [1], []],
    [{ uniqueItems: true }, [id, new ObjectId()], [id, new ObjectId(id.toHexString())]],
    [{ items: { bsonType: 'objectId' } }, [id], [id, 'x']],
    [{ items: [{ bsonType: 'int' }], additionalItems: false }, [1], [1, 2]],
    [{ required: ['a'] }, { a: 1 }, { b: 1 }],
    [{ required: ['a'] }, id, {}],
    [{ properties: { a: { bsonType: 'int' } }, additionalProperties: false }, { a: 1 }, { a: 1, b: 2 }],
    [{ additionalProperties: { bsonType: 'int' } }, { a: 1 }, { a: 'x' }],
    [{ patternProperties: { '^n': { bsonType: 'int' } } }, { n1: 1, x: 'x' }, { n1: 'x' }],
    [{ minProperties: 1, maxProperties: 2 }, { a: 1 }, {}],
    [{ dependencies: { a: ['b'] } }, { a: 1, b: 1 }, { a: 1 }],
    [{ dependencies: { a: { required: ['b'] } } }, { b: 1 }, { a: 1 }],
    [{ anyOf: [{ bsonType: 'int' }, { bsonType: 'string' }] }, 'x', true],
    [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, 2, 3],
    [{ oneOf: [{ minimum: 1 }, { minimum: 5 }] }, 2, 6],
    [{ not: { bsonType: 'string' } }, 1, 'x'],
    [{ title: 'a word', description: 'of its own', bsonType: 'int' }, 1, 'x'],
  ]
  for (const [schema, good, bad] of cases) {
    assert.equal(valid(schema, good), true, `${JSON.stringify(schema)} refuses ${JSON.stringify(good)}`)
    assert.equal(valid(schema, bad), false, `${JSON.stringify(schema)} lets ${JSON.stringify(bad)} by`)
    assert.equal(valid(schema, undefined), true)
  }
})

test('a schema that is none is refused when it is given', () => {
  const cases: readonly (readonly [Document, number, RegExp])[] = [
    [{ requird: ['a'] }, 9, /Unknown \$jsonSchema keyword: requird/],
    [{ properties: { a: { format: 'date' } } }, 9, /keyword 'format' is not currently supported/],
    [{ $ref: '#' }, 9, /\$ref/],
    [{ properties: { a: 5 } }, 14, /\$jsonSchema\.properties\.a must be an object/],
    [{ properties: { a: { bsonType: 'integer' } } }, 2, /unknown type name alias: integer/],
    [{ properties: { a: { type: 'int' } } }, 2, /unknown type name alias: int/],
    [{ required: [] }, 14, /at least one/],
    [{ required: 'a' }, 14, /array of names/],
    [{ minimum: 'x' }, 14, /must be a number/],
    [{ minLength: -1 }, 14, /not negative/],
    [{ exclusiveMinimum: true }, 9, /needs a minimum/],
    [{ exclusiveMinimum: 3, minimum: 3 }, 14, /boolean, as in draft 4/],
    [{ anyOf: [] }, 14, /not empty/],
    [{ enum: [] }, 14, /not empty/],
    [{ pattern: '(?<=a)b' }, 51091, /Regular expression is invalid/],
    [{ items: 5 }, 14, /items must be an object/],
    [{ patternProperties: { '(?=a)': {} } }, 51091, /Regular expression is invalid/],
  ]
  for (const [schema, code, words] of cases) {
    assert.throws(
      () => jsonSchema(schema),
      (error: MongoError) => {
        assert.equal(error.code, code, `${JSON.stringify(schema)}: ${error.message}`)
        assert.match(error.message, words)
        return true
      },
    )
  }
})

const ns = 'manager.users'

async function storeWith(options: CollectionOptions) {
  const store = await openStore()
  await store.write((unit) => unit.createCollection(ns, options))
  return store
}

test('why a document is not valid is told as drivers read it', async () => {
  const validator = {
    $jsonSchema: {
      bsonType: 'object',
      required: ['name', 'age'],
      properties: {
        name: { bsonType: 'string', minLength: 1 },
        age: { bsonType: 'int', minimum: 0 },
        tags: { items: { bsonType: 'string' } },
        address: { properties: { zip: { pattern: '^[0-9]+$' } } },
      },
      additionalProperties: true,
    },
  }
  const store = await storeWith({ validator })
  const doc = { _id: 7, name: 5, tags: ['a', 1], address: { zip: 'x/y~z' } }
  await assert.rejects(
    store.write((unit) => unit.insert(ns, doc)),
    (error: MongoError) => {
      assert.equal(error.code, 121)
      assert.equal(error.message, 'Document failed validation')
      const { failingDocumentId, details } = error.extra.errInfo as Document
      assert.equal(failingDocumentId, 7)
      assert.equal(details.operatorName, '$jsonSchema')
      const rules: readonly Document[] = details.schemaRulesNotSatisfied
      const properties = rules.find(({ operatorName }) => operatorName === 'properties')
      assert.deepEqual(properties?.propertiesNotSatisfied[0], {
        propertyName: 'name',
        details: [
          {
            operatorName: 'bsonType',
            specifiedAs: { bsonType: 'string' },
            reason: 'type did not match',
            consideredValue: 5,
            consideredType: 'int',
          },
        ],
      })
      assert.deepEqual(
        properties?.propertiesNotSatisfied.map(({ propertyName }: Document) => propertyName),
        ['name', 'tags', 'address'],
      )
      assert.equal(properties?.propertiesNotSatisfied[1].details[0].itemIndex, 1)
      assert.deepEqual(
        rules.find(({ operatorName }) => operatorName === 'required'),
        { operatorName: 'required', specifiedAs: { required: ['name', 'age'] }, missingProperties: ['age'] },
      )
      return true
    },
  )
  await store.write((unit) => unit.insert(ns, { _id: 7, name: 'x', age: 0 }))
  await store.close()
})

test('a plain filter is a validator, too, and collMod changes what is asked from then on', async () => {
  const store = await storeWith({ validator: { age: { $gte: 0 }, $jsonSchema: { required: ['age'] } } })
  const insert = (doc: Document) => store.write((unit) => unit.insert(ns, doc))
  await assert.rejects(insert({ age: -1 }), { code: 121 })
  await insert({ _id: 1, age: 1 })
  await store.write((unit) => unit.collMod(ns, { validator: { age: { $gte: 10 } }, validationLevel: 'moderate' }))
  await assert.rejects(insert({ age: 5 }), { code: 121 })
  const set = (age: number) =>
    store.write((unit) => {
      for (const old of unit.candidates(ns, { _id: 1 }).documents) unit.replace(ns, old, { age })
    })
  // What was not valid before may stay so; what has become valid may not go back.
  await set(2)
  await set(20)
  await assert.rejects(set(3), { code: 121 })
  await store.write((unit) => unit.collMod(ns, { validationLevel: 'off' }))
  await set(3)
  await store.close()
})

test('a validator that only warns lets it by, and says so', async () => {
  const notes: string[] = []
  const store = await openStore({ note: (text) => notes.push(text) })
  const validator = { $jsonSchema: { required: ['a'] } }
  await store.write((unit) => {
    unit.createCollection(ns, { validator, validationAction: 'warn' })
    unit.insert(ns, {})
  })
  assert.match(notes.join(), /a document of manager\.users does not meet/)
  await store.close()
})

test('a validator that is none is refused, and nothing is made', async () => {
  const store = await openStore()
  await assert.rejects(storeWith({ validator: { $jsonSchema: { requird: [] } } }), { code: 9 })
  await assert.rejects(
    store.write((unit) => unit.createCollection(ns, { validator: { a: { $nothing: 1 } } })),
    { code: 2 },
  )
  assert.equal(
    store.read((unit) => unit.collection(ns)),
    undefined,
  )
  await store.close()
})
