import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { type MatrixJson, renderMatrix } from '@bulkhead/analysis'
import { fixtures, matchesGolden, repository } from '../golden.js'
import { runCli } from '../testing.js'

const manifests = path.join(fixtures, 'matrix', 'manifests')
const matrix = (...args: readonly string[]) => runCli(['matrix', '--manifests', manifests, ...args], { cwd: fixtures })
const json = async (...args: readonly string[]): Promise<MatrixJson> =>
  JSON.parse((await matrix('--json', ...args)).stdout) as MatrixJson

test('text, JSON and Markdown', async () => {
  const text = await matrix()
  assert.equal(text.code, 0, text.stderr)
  assert.equal(text.stderr, `asked: the manifests in ${manifests}\n`)
  matchesGolden(`$ npx bulkhead matrix\n${text.stdout}`, 'matrix/town.txt')
  const { stdout, stderr } = await matrix('--json')
  assert.equal(stderr, '')
  matchesGolden(stdout, 'matrix/town.json')
  matchesGolden((await matrix('--markdown')).stdout, 'matrix/town.md')
})

test('layers that are off: what they stopped is stopped by another one, or let', async () => {
  const outcome = async (...args: readonly string[]) => {
    const { cells } = await json('--from', 'town/tramp', '--to', 'town/baker:80', ...args)
    return cells.map(({ outcome, by }) => `${outcome} ${by?.layer}`).join()
  }
  assert.equal(await outcome(), 'deny 40-mtls')
  assert.equal(await outcome('--without', '40-mtls'), 'deny 50-identity')
  assert.equal(await outcome('--layers', '50'), 'deny 50-identity')
  assert.equal(await outcome('--without', 'mtls,identity'), 'allow undefined')
  assert.equal(await outcome('--layers', 'none'), 'allow undefined')
})

test('only some callers, and only some that are called', async () => {
  const { sources, destinations, cells } = await json(
    '--from',
    'outside',
    'town/guest',
    '--to',
    'town/baker',
    'town/door',
  )
  assert.deepEqual(sources, ['town/guest', 'outside'])
  assert.deepEqual(
    destinations.map((name) => name.split(/[: ]/)[0]),
    ['town/door', 'town/door', 'town/door', 'town/baker', 'town/baker'],
  )
  assert.equal(cells.length, 10)
})

for (const [what, args, said] of [
  ['an unknown caller', ['--from', 'town/bakr'], /^bulkhead: --from "town\/bakr": .*did you mean "town\/baker"\?\n$/m],
  [
    'an unknown destination',
    ['--to', 'town/x-y-z'],
    /^bulkhead: --to "town\/x-y-z": there is nothing of that name\.\n$/m,
  ],
  [
    'an unknown layer',
    ['--layers', '99'],
    /^bulkhead: there is no layer "99"; there are 40-mtls, 50-identity, 70-ingress\.\n$/m,
  ],
  ['an empty layer', ['--without', '40,'], /^bulkhead: --without "40," has an empty name/m],
  ['both ways to say it', ['--layers', '40', '--without', '40'], /^bulkhead: --layers and --without/m],
  ['two forms', ['--json', '--markdown'], /^bulkhead: --json and --markdown/m],
  ['no such folder', ['--manifests', 'no-such'], /^bulkhead: there is no folder "no-such"\.\n$/m],
] as const) {
  test(`${what}: a sentence on stderr, on stdout nothing but for programs, exit code 2`, async () => {
    const { code, stdout, stderr } = await matrix(...args)
    assert.equal(code, 2)
    assert.match(stdout, args.some((one) => one === '--json') ? /^\{"error":/ : /^$/)
    assert.match(stderr, said)
  })
}

test('several folders are a union, and the clone’s own manifests are judged whatever is up', async () => {
  const parts = ['workloads', 'layers/50-identity'].map((part) => path.join(manifests, part))
  const union = await runCli(['matrix', '--json', '--manifests', ...parts], { cwd: fixtures })
  assert.equal(union.code, 0, union.stderr)
  const { destinations } = JSON.parse(union.stdout) as MatrixJson
  assert.ok(!destinations.some((name) => name.startsWith('town/door')))
  const own = await runCli(['matrix'], { cwd: path.join(repository, 'k8s') })
  assert.equal(own.code, 0, own.stderr)
  assert.match(own.stdout, /^shop\/sleep\b|, shop\/sleep\b/m)
  assert.match(own.stderr, /^asked: the manifests in k8s\/$/m)
})

test('with the layers of the network off the way out is still a column, and shows that it is open', async () => {
  const world = async (...args: readonly string[]) => {
    const said = await runCli(['matrix', '--json', '--to', 'world:443', ...args], { cwd: path.join(repository, 'k8s') })
    assert.equal(said.code, 0, said.stderr)
    const { cells } = JSON.parse(said.stdout) as MatrixJson
    const walled = cells.filter(({ from }) => !from.startsWith('gthulhu/'))
    assert.ok(walled.length > 0 && walled.length < cells.length)
    return [...new Set(walled.map(({ outcome }) => outcome))]
  }
  // But for the namespace that has no walls of the network yet.
  assert.deepEqual(await world(), ['deny'])
  assert.deepEqual(await world('--without', '20-network,30-cilium'), ['allow'])
  assert.deepEqual(await world('--layers', 'none'), ['allow'])
})

test('at 80 columns', async () => {
  const { compile } = await import('@bulkhead/verdict')
  const { loadManifests } = await import('@bulkhead/resources')
  const { matrix: ask } = await import('@bulkhead/analysis')
  const { resources } = await loadManifests([manifests], { relativeTo: manifests })
  matchesGolden(renderMatrix(ask(compile(resources)), { columns: 80 }), 'matrix/town-80.txt')
})
