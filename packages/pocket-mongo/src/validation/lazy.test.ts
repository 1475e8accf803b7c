import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const program = `
  import { createRequire } from 'node:module'
  const { openStore } = await import(process.argv[1])
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('/node_modules/ajv/'))
  const before = loaded()
  const store = await openStore()
  await store.write((unit) => unit.insert('a.plain', { n: 1 }))
  const without = loaded()
  await store.write((unit) => unit.createCollection('a.strict', { validator: { $jsonSchema: { required: ['n'] } } }))
  await store.close()
  console.log(JSON.stringify([before, without, loaded()]))
`

test('ajv is loaded with the first schema, not with the package', () => {
  const store = new URL('../store/open.js', import.meta.url).href
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', program, store], { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(told), [false, false, true])
})
