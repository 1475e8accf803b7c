import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { matchesGolden, repository } from '../golden.js'
import { runCli } from '../testing.js'

const shop = ['--manifests', 'k8s/workloads', 'k8s/layers']
const line = (from: string, to: string, id: string) =>
  JSON.stringify({ id, from: { workload: from }, to: { service: to }, port: 8080 })

const flows = [
  line('shop/sleep', 'shop/web-api', 'allowed'),
  line('shop/notsleep', 'shop/web-api', 'another identity'),
  '',
  line('shop/outsider', 'shop/web-api', 'no identity'),
  '{"id":"label thief","from":{"namespace":"shop","labels":{"app":"sleep"},"serviceAccount":"intruder"},"to":{"service":"shop/web-api"},"port":8080}',
].join('\n')

function file(t: TestContext, name: string, text: string): string {
  const folder = temporaryFolder(t)
  writeFileSync(path.join(folder, name), text)
  return path.join(folder, name)
}

const verdict = (args: readonly string[], stdin?: string) =>
  runCli(['verdict', ...args], { cwd: repository, ...(stdin !== undefined && { stdin }) })

test('one verdict per flow, in order, a line each', async (t) => {
  const { code, stdout, stderr } = await verdict([...shop, '--flows', file(t, 'flows.jsonl', flows), '--stable'])
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  matchesGolden(stdout, 'verdict/shop.jsonl')
  const outcomes = stdout
    .trimEnd()
    .split('\n')
    .map((text) => (JSON.parse(text) as { outcome: string }).outcome)
  assert.deepEqual(outcomes, ['allow', 'deny', 'deny', 'deny'])
})

test("the engine's own golden lines, byte for byte; a bad line among them makes the exit code 2", async () => {
  const batch = path.join(repository, 'packages', 'verdict', 'fixtures', 'batch')
  const { code, stdout } = await verdict([
    '--manifests',
    path.join(batch, 'manifests'),
    '--flows',
    path.join(batch, 'flows.jsonl'),
    '--stable',
  ])
  assert.equal(stdout, readFileSync(path.join(batch, 'expected.jsonl'), 'utf8'))
  assert.equal(code, stdout.includes('"error":') ? 2 : 0)
})

test('- reads stdin, and a file gives the same', async (t) => {
  const fromFile = await verdict([...shop, '--flows', file(t, 'flows.jsonl', flows)])
  assert.deepEqual(await verdict([...shop, '--flows', '-'], flows), fromFile)
})

test('places are relative to the folder that was named', async (t) => {
  const k8s = temporaryFolder(t)
  for (const name of ['workloads', 'layers'])
    cpSync(path.join(repository, 'k8s', name), path.join(k8s, name), { recursive: true })
  const { stdout } = await verdict(['--manifests', k8s, '--flows', '-'], line('shop/sleep', 'shop/web-api', 'a'))
  assert.match(stdout, /"at":"layers\/60-requests\/shop\/web-api-requests\.yaml:\d+"/)
  const several = await verdict([...shop, '--flows', '-'], line('shop/sleep', 'shop/web-api', 'a'))
  assert.match(several.stdout, /"at":"60-requests\/shop\/web-api-requests\.yaml:\d+"/)
})

test('a bad line gives an error in its place; the others are judged; exit code 2', async () => {
  const input = [
    line('shop/sleep', 'shop/web-api', 'a'),
    '{"id":"b"}',
    'no json',
    line('shop/nobody', 'shop/web-api', 'c'),
  ]
  const { code, stdout, stderr } = await verdict([...shop, '--flows', '-'], input.join('\n'))
  assert.equal(code, 2)
  assert.equal(stderr, '')
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>)
  assert.equal(lines[0]?.outcome, 'allow')
  for (const [index, id, errorCode] of [
    [1, 'b', 'flow.invalid'],
    [2, null, 'flow.invalid-json'],
    [3, 'c', 'flow.unknown-workload'],
  ] as const) {
    const { error, ...rest } = lines[index] as { error: { code: string; message: string } }
    assert.deepEqual(rest, { id, line: index + 1 })
    assert.equal(error.code, errorCode)
    assert.notEqual(error.message, '')
  }
})

test('bad manifests: every mistake with its place on stderr, nothing on stdout, exit code 2', async (t) => {
  const bad = file(
    t,
    'policy.yaml',
    'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: a\n  namespace: b\nspec:\n  acton: ALLOW\n',
  )
  const { code, stdout, stderr } = await verdict(['--manifests', path.dirname(bad), '--flows', '-'], flows)
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /policy\.yaml:7:3: .*"?acton"?/)
})

test('folders are a union: an object that is in two of them is an error', async (t) => {
  const copy = file(t, 'copy.yaml', readFileSync(path.join(repository, 'k8s/layers/40-mtls/shop.yaml'), 'utf8'))
  const { code, stdout, stderr } = await verdict([...shop, path.dirname(copy), '--flows', '-'], flows)
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /copy\.yaml/)
  assert.match(stderr, /PeerAuthentication\/shop\/default/)
})

for (const [what, args, said] of [
  ['no manifests', ['--flows', '-'], /required option '--manifests <dir\.\.\.>' not specified/],
  ['no flows', shop, /required option '--flows <file>' not specified/],
  ['a folder that is not there', ['--manifests', 'no-such', '--flows', '-'], /there is no folder "no-such"/],
  ['a file that is not there', [...shop, '--flows', 'no-such.jsonl'], /there is no file "no-such\.jsonl"/],
  ['a folder as flows', [...shop, '--flows', 'k8s'], /"k8s" is a folder/],
] as const) {
  test(`${what} is bad input`, async () => {
    const { code, stdout, stderr } = await verdict(args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, said)
  })
}
