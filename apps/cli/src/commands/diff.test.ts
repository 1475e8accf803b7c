import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanUp, temporaryFolder, wholeSuite } from '@bulkhead/testing'
import { fit } from '../fit.js'
import { fixtures, matchesGolden } from '../golden.js'
import { type Repository, repositoryWith } from '../revision/testing.js'
import { type Ran, runCli } from '../testing.js'

const manifests = path.join(fixtures, 'matrix', 'manifests')
const baker = 'k8s/layers/50-identity/baker.yaml'
const miller = 'k8s/layers/50-identity/miller.yaml'

// Revisions are laid out in the temporary folder: this one is only the test's, and is looked at.
const suite = wholeSuite()
const temporary = temporaryFolder(suite)
const before = process.env.TMPDIR
process.env.TMPDIR = temporary
cleanUp(suite, () => {
  if (before === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = before
})
const left = (): readonly string[] => readdirSync(temporary).filter((name) => name.startsWith('bulkhead-diff-'))

const diff = (repository: Pick<Repository, 'root' | 'env'>, ...args: readonly string[]): Promise<Ran> =>
  runCli(['diff', ...args], { cwd: repository.root, env: repository.env })

/** Lets a thief in and the guest out, and takes the wall before them down; tagged `v1` before and `v2` after. */
function changed(t: TestContext): Repository {
  const repository = repositoryWith(t, manifests)
  repository.git('tag', 'v1')
  repository.write(baker, (text) => text.replace('sa/guest', 'sa/thief'))
  repository.write(miller, (text) => text.replace('sa/baker]', 'sa/baker, cluster.local/ns/town/sa/door-istio]'))
  repository.git('rm', '--quiet', 'k8s/layers/40-mtls/town.yaml')
  repository.commit('let the thief in')
  repository.git('tag', 'v2')
  return repository
}

test('two revisions: text, at 80 and 110 columns', async (t) => {
  const repository = changed(t)
  const { code, stdout, stderr } = await diff(repository, 'v1', 'v2')
  assert.equal(code, 1, stderr)
  assert.match(stderr, /^compared: v1 \([0-9a-f]{7}\) with v2 \([0-9a-f]{7}\)\n$/)
  matchesGolden(`$ npx bulkhead diff v1 v2\n${stdout}`, 'diff/two-revisions.txt')
  for (const columns of [80, 110]) matchesGolden(fit(stdout, columns), `diff/two-revisions-${columns}.txt`)
  assert.deepEqual(left(), [])
})

test('two revisions: JSON and Markdown say the same', async (t) => {
  const repository = changed(t)
  const json = await diff(repository, 'v1', 'v2', '--json')
  assert.equal(json.code, 1)
  assert.equal(json.stderr, '')
  matchesGolden(json.stdout, 'diff/two-revisions.json')
  const markdown = await diff(repository, 'v1', 'v2', '--markdown')
  assert.equal(markdown.code, 1)
  matchesGolden(markdown.stdout, 'diff/two-revisions.md')
  const back = await diff(repository, 'v2', 'v1', '--json')
  const [there, again] = [JSON.parse(json.stdout), JSON.parse(back.stdout)]
  assert.equal(there.opened.length, 10)
  assert.deepEqual([again.opened.length, again.closed.length], [there.closed.length, there.opened.length])
})

test('without arguments: HEAD against the working tree, from every folder of the clone', async (t) => {
  const repository = changed(t)
  const same = await diff(repository)
  assert.deepEqual(
    [same.code, same.stdout],
    [0, 'nothing opened, nothing closed; no object differs (48 flows asked)\n'],
  )
  repository.write(baker, (text) => `# only a line\n${text}`)
  assert.deepEqual(await diff(repository), same)
  repository.write(baker, (text) => text.replace('sa/thief', 'sa/guest'))
  const edited = await diff(repository)
  assert.equal(edited.code, 1)
  assert.match(edited.stdout, /^2 flows opened, 2 closed \(48 asked\)$/m)
  assert.match(edited.stdout, /^\+ {2}town\/guest → town\/baker:80, /m)
  assert.match(edited.stdout, /\(k8s\/layers\/50-identity\/baker\.yaml:8\)/)
  assert.match(edited.stderr, /^compared: HEAD \([0-9a-f]{7}\) with the working tree\n$/)
  const within = await runCli(['diff', 'HEAD', '.'], { cwd: path.join(repository.root, 'k8s'), env: repository.env })
  assert.deepEqual(within, edited)
  assert.deepEqual(await diff(repository, 'main'), { ...edited, stderr: edited.stderr.replace('HEAD', 'main') })
  assert.equal((await diff(repository, 'HEAD~1', 'HEAD')).code, 1)
})

test('what is beside the workloads and the layers is not in force', async (t) => {
  const repository = changed(t)
  repository.write('k8s/attacks/thief.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata: { name: attack }\n')
  repository.write('k8s/README.md', 'what this is\n')
  assert.match((await diff(repository)).stdout, /no object differs/)
  assert.match((await diff(repository, 'HEAD', '.', '--path', 'k8s/layers')).stdout, /no object differs/)
})

test('pods of both keep their addresses: a rule about one is not taken for a change', async (t) => {
  const repository = repositoryWith(t, manifests)
  const judged = await runCli(['explain', '--offline', '--json', 'town/guest', 'town/miller:8080'], {
    cwd: repository.root,
  })
  const { hops } = (JSON.parse(judged.stdout) as { verdict: { hops: { tuple: { src: string } }[] } }).verdict
  repository.write(miller, (text) => text.replace(/principals: \[[^\]]*\]/, `ipBlocks: ["${hops[0]?.tuple.src}"]`))
  repository.commit('the guest by address')
  assert.match(
    (await diff(repository, 'HEAD~1', 'HEAD')).stdout,
    /^\+ {2}town\/guest → town\/miller:8080 and its pod$/m,
  )
  // Alone, these would be counted before the guest and have his address.
  repository.write(
    'k8s/workloads/a.yaml',
    ['one', 'two', 'three']
      .map(
        (name) => `---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: town }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: main, image: "example.org/x:1" }] }
`,
      )
      .join(''),
  )
  const { stdout } = await diff(repository, 'HEAD', '.', '--json')
  const found = JSON.parse(stdout) as { opened: { from: string }[]; closed: unknown[] }
  assert.deepEqual([...new Set(found.opened.map(({ from }) => from))], ['town/one', 'town/three', 'town/two'])
  assert.deepEqual(found.closed, [])
})

test('two folders, in no repository and without git', async (t) => {
  const root = temporaryFolder(t)
  for (const name of ['old', 'new']) cpSync(manifests, path.join(root, name), { recursive: true })
  rmSync(path.join(root, 'new', 'layers', '50-identity', 'miller.yaml'))
  const { code, stdout, stderr } = await diff({ root, env: { PATH: root } }, 'old', 'new', '--path', '.')
  assert.equal(code, 1, stderr)
  assert.match(stdout, /^- {2}town\/baker → town\/miller:8080 and its pod$/m)
  assert.match(stdout, /\(new\/layers\/50-identity\/allow-nothing\.yaml:4\)/)
})

test('kustomizations and links of a revision are followed, and no link leaves it', async (t) => {
  const repository = changed(t)
  const secret = path.join(repository.root, 'secret.yaml')
  writeFileSync(secret, 'apiVersion: v1\nkind: Namespace\nmetadata: { name: secret }\n')
  const layer = path.join(repository.root, 'k8s', 'layers', '60-more')
  mkdirSync(layer)
  repository.write('k8s/layers/60-more/kustomization.yaml', 'resources: [real.yaml]\n')
  repository.write('k8s/layers/60-more/real.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata: { name: real }\n')
  mkdirSync(path.join(repository.root, 'k8s', 'layers', '61-links'))
  symlinkSync('../60-more/real.yaml', path.join(repository.root, 'k8s', 'layers', '61-links', 'again.yaml'))
  repository.commit('links')
  const { code, stdout, stderr } = await diff(repository, 'HEAD~1', 'HEAD', '--json')
  assert.equal(code, 0, stderr)
  // One file, however many ways lead to it.
  assert.deepEqual(JSON.parse(stdout).objects.added, ['Namespace/real'])
  for (const leading of ['../../../secret.yaml', secret, '/dev/zero']) {
    symlinkSync(leading, path.join(repository.root, 'k8s', 'layers', '61-links', 'away.yaml'))
    repository.commit('a link that leads away')
    const away = await diff(repository, 'HEAD', 'HEAD~1')
    assert.deepEqual([away.code, away.stdout], [2, ''])
    assert.match(away.stderr, /"k8s\/layers\/61-links\/away\.yaml" is a link to ".*", .* is not followed\.\n$/)
    rmSync(path.join(repository.root, 'k8s', 'layers', '61-links', 'away.yaml'))
  }
})

for (const [what, args, said] of [
  ['an unknown revision', ['v3'], /^bulkhead: there is no folder and no git revision "v3"; did you mean "v1"\?\n$/],
  [
    'what could be an option',
    ['--', '--output=x'],
    /^bulkhead: there is no folder and no git revision "--output=x"\.\n$/,
  ],
  ['a file', ['package.json'], /^bulkhead: "package\.json" is a file; a folder with manifests is needed\.\n$/],
  [
    'a folder that the revision has not',
    ['HEAD', '.', '--path', 'charts'],
    /^bulkhead: HEAD \([0-9a-f]{7}\) has no folder "charts"\.\n$/,
  ],
  [
    'a folder that only the working tree has not',
    ['.', '.', '--path', 'charts'],
    /^bulkhead: there is no folder "charts"\.\n$/,
  ],
  ['a path that leads out', ['HEAD', '--path', '../elsewhere'], /^bulkhead: --path "\.\.\/elsewhere" leads out of /],
  ['two forms at once', ['--json', '--markdown'], /^bulkhead: --json and --markdown are two forms/],
  ['a blob', ['HEAD:package.json'], /^bulkhead: there is no folder and no git revision "HEAD:package\.json"/],
] as const) {
  test(`${what}: a sentence on stderr, on stdout nothing but for programs, exit code 2, nothing left behind`, async (t) => {
    const { code, stdout, stderr } = await diff(changed(t), ...args)
    assert.equal(code, 2)
    assert.match(stdout, args.some((one) => one === '--json') ? /^\{"error":/ : /^$/)
    assert.match(stderr, said)
    assert.deepEqual(left(), [])
  })
}

test('manifests that are broken in a revision, or in the working tree: where, as the repository names it', async (t) => {
  const repository = changed(t)
  repository.write(baker, 'apiVersion: v1\nkind: [\n')
  const broken = /^bulkhead: the manifests in (.*) cannot be used:\nk8s\/layers\/50-identity\/baker\.yaml:3:\d+: /
  const tree = await diff(repository)
  assert.deepEqual([tree.code, tree.stdout, broken.exec(tree.stderr)?.[1]], [2, '', 'the working tree'])
  repository.commit('broken')
  const revision = await diff(repository, 'HEAD', 'HEAD~1')
  assert.match(broken.exec(revision.stderr)?.[1] ?? '', /^HEAD \([0-9a-f]{7}\)$/)
  assert.equal(revision.code, 2)
  assert.deepEqual(left(), [])
})

test('in no repository, and where there is no git', async (t) => {
  const root = temporaryFolder(t)
  cpSync(manifests, path.join(root, 'k8s'), { recursive: true })
  writeFileSync(path.join(root, 'package.json'), '{}\n')
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: temporary, GIT_DIR: undefined }
  const none = await diff({ root, env })
  assert.equal(none.code, 2)
  assert.match(
    none.stderr,
    /^bulkhead: there is no folder "HEAD", and it cannot be a git revision: ".*" is in no git repository\.\n$/,
  )
  const missing = await diff({ root, env: { PATH: path.join(root, 'no-such') } })
  assert.equal(missing.code, 2)
  assert.match(missing.stderr, /^bulkhead: revisions are read with git, and there is no git in PATH/)
  assert.equal((await diff({ root, env }, 'k8s', '.')).code, 0)
})

test('an interrupt ends it, and what was laid out goes', async (t) => {
  const repository = changed(t)
  const ended = await runCli(['diff', 'v1', 'v2'], {
    cwd: repository.root,
    env: repository.env,
    signal: AbortSignal.abort('SIGINT'),
  })
  assert.equal(ended.code, 130)
  assert.equal(ended.stdout, '')
  assert.deepEqual(left(), [])
})
