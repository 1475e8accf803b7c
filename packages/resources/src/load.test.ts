import assert from 'node:assert/strict'
import { chmod, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { formatDiagnostic, ManifestError } from './diagnostics.js'
import { layerOf, loadManifests } from './load.js'
import { folder } from './testing.js'
import { MAX_FILE_BYTES } from './yaml/limits.js'

const account = (name: string, namespace = 'shop') =>
  `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\n`

const names = async (root: string, ...paths: string[]) => {
  const { resources } = await loadManifests(
    paths.map((path) => join(root, path)),
    { relativeTo: root },
  )
  return resources.map(({ name, position }) => `${position([]).file} ${name}`)
}

/** The lines of the error that loading ends in. */
async function failure(root: string, ...paths: string[]): Promise<string[]> {
  const error = await loadManifests(
    paths.map((path) => join(root, path)),
    { relativeTo: root },
  ).then(
    () => assert.fail('it should not have loaded'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof ManifestError, String(error))
  assert.deepEqual(error.message.split('\n'), error.diagnostics.map(formatDiagnostic))
  return error.diagnostics.map(({ code, at, message }) => `${at.file}:${at.line}:${at.column} ${code} ${message}`)
}

test('a file that is not UTF-8 is told where, and what it may be', async (t) => {
  const root = await folder(t, {})
  await writeFile(join(root, 'a.yaml'), Buffer.from('a: 1\nb: \xff\n', 'latin1'))
  await writeFile(join(root, 'b.yaml'), Buffer.from('\ufeffa: 1\n', 'utf16le'))
  await assert.rejects(loadManifests([root], { relativeTo: root }), (error: Error) => {
    assert.match(error.message, /^a\.yaml:1:1: .*not UTF-8.*line 2$/m)
    assert.match(error.message, /^b\.yaml:1:1: .*UTF-16.*save it as UTF-8/m)
    return true
  })
})

test('a folder is searched in sorted order, and one with a kustomization read through it', async (t) => {
  const root = await folder(t, {
    'b.yaml': account('b'),
    'a/z.yml': account('z'),
    'a/note.txt': 'no manifest',
    'a/.hidden/x.yaml': account('hidden'),
    'c/kustomization.yaml': 'resources:\n  - two.yaml\n  - sub/one.yaml\n  - ../shared\n',
    'c/two.yaml': account('two'),
    'c/sub/one.yaml': account('one'),
    'shared/kustomization.yml': 'namespace: other\nresources: [s.yaml]\n',
    'shared/s.yaml': account('s'),
  })
  assert.deepEqual(await names(root, '.'), [
    'a/z.yml z',
    'b.yaml b',
    'c/two.yaml two',
    'c/sub/one.yaml one',
    'shared/s.yaml s',
  ])
  assert.deepEqual(await names(root, 'c/kustomization.yaml'), [
    'c/two.yaml two',
    'c/sub/one.yaml one',
    'shared/s.yaml s',
  ])
  assert.deepEqual(await names(root, 'b.yaml', 'a'), ['b.yaml b', 'a/z.yml z'])
  assert.deepEqual(await names(root, 'a', 'a'), ['a/z.yml z'])
  assert.deepEqual(await names(root, 'shared', 'shared'), ['shared/s.yaml s'])
  // A union: what is reached twice is there once.
  assert.deepEqual(await names(root, 'a', '.', 'a/z.yml'), [
    'a/z.yml z',
    'b.yaml b',
    'c/two.yaml two',
    'c/sub/one.yaml one',
    'shared/s.yaml s',
  ])
  const { resources } = await loadManifests([join(root, 'shared')], { relativeTo: root })
  assert.equal(resources[0]?.id, 'ServiceAccount/other/s')
})

test('the outermost namespace of kustomizations wins', async (t) => {
  const root = await folder(t, {
    'outer/kustomization.yaml': 'namespace: outer\nresources: [inner]\n',
    'outer/inner/kustomization.yaml': 'namespace: inner\nresources: [a.yaml]\n',
    'outer/inner/a.yaml': account('a'),
  })
  const { resources } = await loadManifests([join(root, 'outer')])
  assert.deepEqual(
    resources.map(({ id }) => id),
    ['ServiceAccount/outer/a'],
  )
})

test('a layer is the numbered folder under layers/', () => {
  assert.equal(layerOf('/x/k8s/layers/50-identity/shop/web-api.yaml'), '50-identity')
  assert.equal(layerOf('/x/layers/10-a/layers/20-b/c.yaml'), '20-b')
  assert.equal(layerOf('/x/k8s/workloads/shop/web-api.yaml'), undefined)
  assert.equal(layerOf('/x/k8s/layers/other/a.yaml'), undefined)
  assert.equal(layerOf('/x/k8s/layers/50-a.yaml'), undefined)
})

test('the same object twice is an error that names both places', async (t) => {
  const root = await folder(t, {
    'a.yaml': account('x'),
    'b.yaml': `# again\n${account('x')}`,
    'c.yaml': account('x', 'other'),
  })
  assert.deepEqual(await failure(root, '.'), [
    'b.yaml:2:1 object.duplicate ServiceAccount/shop/x is defined twice, and also at a.yaml:1:1; remove one, or give it another name',
  ])
  assert.deepEqual(await names(root, 'a.yaml', 'c.yaml'), ['a.yaml x', 'c.yaml x'])
})

test('every mistake is told, in the order of the files', async (t) => {
  const root = await folder(t, { 'b.yaml': 'a: [', 'a.yaml': `${account('x')}lable: 1\n---\n${account('Web')}` })
  assert.deepEqual(
    (await failure(root, '.')).map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['a.yaml:6:1 field.unknown', 'a.yaml:11:3 object.name', 'b.yaml:1:5 yaml.syntax'],
  )
})

test('a kustomization that cannot be followed says where and why', async (t) => {
  const k = (text: string) => ({
    'k/kustomization.yaml': `kind: Kustomization\nresources:\n${text}`,
    'out.yaml': account('out'),
    'plain/a.yaml': account('a'),
  })
  const table: [string, RegExp][] = [
    ['  - missing.yaml\n', /^k\/kustomization\.yaml:3:5 file\.missing "missing\.yaml": there is no such file/],
    ['  - ../plain\n', /^k\/kustomization\.yaml:3:5 kustomization\.folder .*has no kustomization\.yaml/],
    ['  - ../out.yaml\n', /^k\/kustomization\.yaml:3:5 kustomization\.outside/],
    ['  - https://example.com/x.yaml\n', /^k\/kustomization\.yaml:3:5 kustomization\.remote/],
    ['  - github.com/a/b\n', /kustomization\.remote/],
    ['  - /etc/passwd\n', /kustomization\.path/],
    ['  - ../k\n', /^k\/kustomization\.yaml:3:5 kustomization\.cycle .*: k -> k/],
    ['  - kustomization.yaml\n', /kustomization\.path .*name its folder/],
  ]
  for (const [text, expected] of table) {
    const found = await failure(await folder(t, k(text)), 'k')
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', expected)
  }
  const circle = await folder(t, {
    'a/kustomization.yaml': 'resources: [../b]',
    'b/kustomization.yaml': 'resources: [../a]',
  })
  assert.match(
    (await failure(circle, 'a'))[0] ?? '',
    /^b\/kustomization\.yaml:1:13 kustomization\.cycle .*: a -> b -> a/,
  )
  const twice = await folder(t, { 'kustomization.yaml': 'resources: [a.yaml, ./a.yaml]', 'a.yaml': account('a') })
  assert.match((await failure(twice, '.'))[0] ?? '', /kustomization\.duplicate/)
  const two = await folder(t, { 'kustomization.yaml': 'resources: []', 'kustomization.yml': 'resources: []' })
  assert.match((await failure(two, '.'))[0] ?? '', /kustomization\.two/)
})

test('a manifest beside or below a kustomization that does not name it is a warning', async (t) => {
  const root = await folder(t, {
    'kustomization.yaml': 'resources: [a.yaml, p/policy.yaml, own]',
    'a.yaml': account('a'),
    'forgotten.yaml': account('f'),
    'good.yaml': account('g'),
    'p/policy.yaml': account('p'),
    'p/good.yaml': account('pg'),
    'p/bad.yaml': 'not: an object',
    'q/policy.yaml': account('q'),
    'q/back': '->../q',
    'own/kustomization.yaml': 'resources: [b.yaml]',
    'own/b.yaml': account('b'),
    'other/kustomization.yaml': 'resources: []',
    'other/c.yaml': account('c'),
    '.tool/d.yaml': account('d'),
  })
  const { warnings, resources } = await loadManifests([root], { relativeTo: root })
  assert.deepEqual(
    warnings.map(({ code, at }) => `${at.file} ${code}`),
    ['forgotten.yaml kustomization.unlisted', 'q/policy.yaml kustomization.unlisted'],
  )
  assert.deepEqual(
    resources.map(({ name }) => name),
    ['a', 'p', 'b'],
  )
})

test('warnings come with the objects, and with the errors', async (t) => {
  const policy =
    'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { name: p, namespace: shop }\nspec:\n  selector: { matchLabels: { app: nobody } }\n'
  const root = await folder(t, { 'p.yaml': policy, 'bad.yaml': '{}' })
  const { warnings } = await loadManifests([join(root, 'p.yaml')], { relativeTo: root })
  assert.deepEqual(
    warnings.map(({ code, at }) => `${at.file}:${at.line} ${code}`),
    ['p.yaml:5 selector.selects-nothing'],
  )
  assert.match((await failure(root, '.'))[0] ?? '', /^bad\.yaml:1:1 object\.not-kubernetes/)
  // What could not be read may be what is missing, so references wait until all of it can.
  await assert.rejects(loadManifests([root]), (error) => error instanceof ManifestError && error.warnings.length === 0)
})

test('paths that cannot be read say why', async (t) => {
  const root = await folder(t, {
    'empty/note.txt': '',
    'bytes.yaml': '',
    'loop/a': '->../loop',
    'loop/x.yaml': account('x'),
    'dangling.yaml': '->nowhere.yaml',
  })
  assert.match(
    (await failure(root, 'nothing'))[0] ?? '',
    /^nothing:1:1 file\.missing "nothing": there is no such file or folder/,
  )
  assert.match((await failure(root, 'empty'))[0] ?? '', /^empty:1:1 path\.no-manifests/)
  assert.match((await failure(root, 'dangling.yaml'))[0] ?? '', /file\.missing/)
  assert.deepEqual(await names(root, 'loop'), ['loop/x.yaml x'])
  await writeFile(join(root, 'bytes.yaml'), new Uint8Array([0xff, 0xfe, 0x00]))
  assert.match((await failure(root, 'bytes.yaml'))[0] ?? '', /^bytes\.yaml:1:1 file\.not-utf8/)
  await writeFile(join(root, 'bytes.yaml'), ' '.repeat(MAX_FILE_BYTES + 1))
  assert.match((await failure(root, 'bytes.yaml'))[0] ?? '', /^bytes\.yaml:1:1 file\.too-large/)
  if (process.platform === 'linux') assert.match((await failure('/dev', 'null'))[0] ?? '', /file\.not-a-file/)
  if (process.getuid?.() !== 0) {
    await chmod(join(root, 'bytes.yaml'), 0)
    assert.match((await failure(root, 'bytes.yaml'))[0] ?? '', /file\.no-permission/)
  }
})

const repository = join(import.meta.dirname, '../../..')

test("the repository's own manifests have nothing wrong", async () => {
  const folders = ['workloads', 'layers'].map((name) => join(repository, 'k8s', name))
  const { resources, warnings } = await loadManifests(folders, { relativeTo: repository })
  assert.ok(resources.length > 0)
  assert.deepEqual(warnings.map(formatDiagnostic), [])
})

test('what Argo CD is given of the platform is taken; Helm’s values are no manifests', async () => {
  const argo = join(repository, 'k8s/platform/argocd')
  const files = (await readdir(argo, { recursive: true })).filter(
    (name) => name.endsWith('.yaml') && basename(name) !== 'kustomization.yaml',
  )
  assert.ok(files.length > 9)
  for (const name of files) {
    const { resources, warnings } = await loadManifests([join(argo, name)], { relativeTo: repository })
    assert.ok(resources.length > 0, name)
    assert.deepEqual(warnings.map(formatDiagnostic), [], name)
  }
  const values = join(repository, 'k8s/platform/helm/kyverno.yaml')
  await assert.rejects(loadManifests([values], { relativeTo: repository }), /if it holds values for Helm, keep it out/)
})

test('what an attacker brings along is read, each file by itself: it may stand instead of one of the objects there', async () => {
  const attacks = join(repository, 'k8s/attacks')
  const files = (await readdir(attacks)).filter((name) => name.endsWith('.yaml'))
  assert.ok(files.length > 9)
  for (const name of files) {
    const { resources } = await loadManifests([join(attacks, name)], { relativeTo: repository })
    assert.ok(resources.length > 0, name)
  }
})

test('a file that says what it said is not parsed again, and one that changed is', async (t) => {
  const root = await folder(t, { 'a.yaml': account('a'), 'b.yaml': account('b') })
  const load = async () => (await loadManifests([root], { relativeTo: root })).resources
  const [a, b] = await load()
  assert.equal((await load())[0], a)
  await writeFile(join(root, 'b.yaml'), `# below\n${account('b')}`)
  const [same, moved] = await load()
  assert.equal(same, a)
  assert.notEqual(moved, b)
  assert.equal(moved?.position(['metadata', 'name']).line, (b?.position(['metadata', 'name']).line ?? 0) + 1)
  // The same text is another object with another namespace put over it.
  await writeFile(join(root, 'kustomization.yaml'), 'namespace: other\nresources: [a.yaml, b.yaml]\n')
  assert.deepEqual(
    (await load()).map(({ namespace }) => namespace),
    ['other', 'other'],
  )
})
