import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorDocProblems } from '@bulkhead/service-kit'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import request from 'supertest'
import { parseAllDocuments } from 'yaml'
import { IMAGES, smallest, startApp } from '../testing/app.js'
import { MAX_BODY_BYTES } from './body.js'
import { generatorErrors } from './errors.js'

interface Item {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

const full = {
  ...smallest,
  port: 8080,
  callers: [{ namespace: 'shop', name: 'sleep', methods: ['GET'] }],
  calls: ['demo/postgres:5432'],
}

test('JSON in, a List out that kubectl takes; or YAML, by Accept or by ?format, with the same objects', async (t) => {
  const { service, url } = await startApp(t)
  const post = () => request(service.server).post('/v1/manifests')
  const json = await post().send(full)
  assert.equal(json.status, 200)
  assert.equal(json.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual([json.body.apiVersion, json.body.kind], ['v1', 'List'])
  const items = json.body.items as readonly Item[]
  assert.deepEqual(
    items.slice(0, 4).map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
    [
      'ServiceAccount demo/worker-app',
      'Service demo/worker-app',
      'Deployment demo/worker-app',
      'NetworkPolicy demo/worker-app',
    ],
  )
  for (const [query, accept] of [
    ['', 'application/yaml'],
    ['', 'text/html, application/x-yaml;q=0.5'],
    ['?format=yaml', 'application/json'],
  ] as const) {
    const answer = await fetch(`${url}/v1/manifests${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify(full),
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'application/yaml; charset=utf-8')
    assert.deepEqual(
      parseAllDocuments(await answer.text()).map((one) => one.toJS() as unknown),
      items,
    )
  }
  const wanted = await post().set('accept', 'application/yaml').query({ format: 'json' }).send(full)
  assert.deepEqual(wanted.body, json.body, '?format comes before Accept')
  assert.equal(wanted.headers.vary, 'accept')
})

test('?part gives what belongs to one folder of k8s, and all of them are the whole set', async (t) => {
  const { service } = await startApp(t)
  const items = async (query: object) =>
    (await request(service.server).post('/v1/manifests').query(query).send(full)).body.items as readonly Item[]
  const parts = ['workloads', '20-network', '30-cilium', '40-mtls', '50-identity', '60-requests']
  const each = await Promise.all(parts.map((part) => items({ part })))
  assert.deepEqual(each.flat(), await items({}))
  assert.deepEqual([...new Set(each[1]?.map(({ kind }) => kind))], ['NetworkPolicy'])
  assert.deepEqual([...new Set(each[4]?.map(({ kind }) => kind))], ['AuthorizationPolicy'])
})

test('a member that the query does not have is refused, and those that it has are named', async (t) => {
  const { service } = await startApp(t)
  const post = (query: string) => request(service.server).post(`/v1/manifests${query}`).send(full)
  const refused = await post('?formt=yaml&part=workloads&a[b]=1')
  assert.deepEqual([refused.status, refused.body.error.code], [422, 'INVALID_DESCRIPTION'])
  const message = 'the query has no such member; it may have format and part'
  assert.deepEqual(refused.body.error.fields, [
    { field: 'formt', message },
    { field: '["a[b]"]', message },
  ])
  assert.equal((await post('?format=yaml&part=workloads')).status, 200)
})

test('what cannot be taken is refused on the wire with its status, its code, and the field', async (t) => {
  const { service } = await startApp(t)
  const post = (type: string | undefined, body: string | Buffer, query = {}) => {
    const sent = request(service.server).post('/v1/manifests').query(query)
    if (type !== undefined) sent.set('content-type', type)
    return sent.serialize((given: unknown) => given as string).send(body as string)
  }
  const ok = JSON.stringify(smallest)
  assert.equal((await post('application/json; charset=utf-8', ok)).status, 200, 'a control')
  for (const [what, status, code, answer] of [
    ['text', 415, 'UNSUPPORTED_MEDIA_TYPE', await post('text/plain', ok)],
    ['YAML', 415, 'UNSUPPORTED_MEDIA_TYPE', await post('application/yaml', ok)],
    ['a form', 415, 'UNSUPPORTED_MEDIA_TYPE', await post('application/x-www-form-urlencoded', 'name=x')],
    ['another charset', 415, 'UNSUPPORTED_MEDIA_TYPE', await post('application/json; charset=utf-16', ok)],
    ['no JSON', 400, 'MALFORMED_JSON', await post('application/json', '{"name":')],
    ['nothing', 400, 'MALFORMED_JSON', await post('application/json', '')],
    ['two values', 400, 'MALFORMED_JSON', await post('application/json', `${ok}${ok}`)],
    ['no UTF-8', 400, 'MALFORMED_JSON', await post('application/json', Buffer.from([0x22, 0xff, 0x22]))],
    ['too much', 413, 'BODY_TOO_LARGE', await post('application/json', `"${'x'.repeat(MAX_BODY_BYTES)}"`)],
    ['brackets', 422, 'INVALID_DESCRIPTION', await post('application/json', '['.repeat(60_000) + ']'.repeat(60_000))],
    ['no format', 422, 'INVALID_DESCRIPTION', await post('application/json', ok, { format: 'xml' })],
    ['no part', 422, 'INVALID_DESCRIPTION', await post('application/json', ok, { part: '70-ingress' })],
  ] as const) {
    assert.equal(answer.status, status, what)
    assert.equal(answer.body.error.code, code, what)
    assert.equal(answer.body.error.requestId, answer.headers['x-request-id'])
  }
  for (const size of [MAX_BODY_BYTES, 8 * MAX_BODY_BYTES])
    assert.match(
      (await post('application/json', `"${'x'.repeat(size)}"`)).body.error.message,
      new RegExp(`larger than the ${MAX_BODY_BYTES} bytes`),
      `${size}`,
    )
  const { body } = await post('application/json', JSON.stringify({ ...smallest, name: 'A\n', callers: ['x'] }))
  assert.deepEqual(
    body.error.fields.map(({ field }: { readonly field: string }) => field),
    ['name', 'callers[0]'],
  )
  const get = await request(service.server).get('/v1/manifests')
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST'])
})

test('GET /: the page for a browser, what it is for a program; and the usual paths', async (t) => {
  const { service } = await startApp(t)
  const agent = request(service.server)
  const program = await agent.get('/')
  assert.equal(program.status, 200)
  assert.equal(program.body.name, 'manifest-gen')
  assert.deepEqual(program.body.images, IMAGES.split(','))
  const browser = await agent.get('/').set('accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')
  assert.equal(browser.headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(browser.headers.vary, 'accept')
  assert.match(String(browser.headers['content-security-policy']), /^default-src 'none'; script-src 'self';/)
  assert.doesNotMatch(String(browser.headers['content-security-policy']), /unsafe|data:|http/)
  assert.doesNotMatch(browser.text, /<script>| on[a-z]+=| style=/)
  const assets = [...browser.text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  assert.equal(assets.length, 4)
  for (const path of assets) {
    const asset = await agent.get(path)
    assert.equal(asset.status, 200, path)
    assert.match(String(asset.headers['cache-control']), /immutable/)
  }
  for (const path of ['/health', '/livez', '/readyz', '/metrics'])
    assert.equal((await agent.get(path)).status, 200, path)
})

test('the OpenAPI document is one, and what is asked and answered is as it says', async (t) => {
  const { service } = await startApp(t)
  const agent = request(service.server)
  const document = (await agent.get('/openapi.json')).body
  const { valid, errors } = await new Validator().validate(structuredClone(document))
  assert.ok(valid, JSON.stringify(errors))
  const ajv = new Ajv2020({ strict: false })
  ajv.addSchema(document, 'document')
  const at = (pointer: string): ValidateFunction => ajv.compile({ $ref: `document#${pointer}` })
  const description = at('/components/schemas/Description')
  for (const good of [smallest, full]) assert.ok(description(good), JSON.stringify(description.errors))
  for (const bad of [{ ...smallest, name: 'A' }, { ...smallest, more: 1 }, { ...smallest, callers: ['x'] }, {}])
    assert.ok(!description(bad))
  const answers = '/paths/~1v1~1manifests/post/responses/200/content/application~1json/schema'
  assert.ok(at(answers)((await agent.post('/v1/manifests').send(full)).body))
  assert.ok(at('/components/schemas/Error')((await agent.post('/v1/manifests').send({})).body))
  assert.ok(at('/paths/~1/get/responses/200/content/application~1json/schema')((await agent.get('/')).body))
})

test('docs/errors.md lists what this service refuses, and nothing else', () => {
  const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
  assert.deepEqual(errorDocProblems(generatorErrors.table, page, 'manifest-gen'), [])
})
