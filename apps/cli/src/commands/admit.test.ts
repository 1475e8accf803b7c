import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fixtures, matchesGolden, repository } from '../golden.js'
import { type RunOptions, runCli } from '../testing.js'

const folder = path.join(fixtures, 'admit')
const admit = (args: readonly string[], options: RunOptions = {}) =>
  runCli(['admit', '--manifests', 'manifests', ...args], { cwd: folder, ...options })

for (const [name, exit] of [
  ['hacker-root', 1],
  ['strict', 1],
  ['workload', 1],
  ['made', 0],
  ['exception', 0],
  ['unknown', 3],
] as const) {
  test(`${name}: text and exit code, and JSON says the same`, async () => {
    const args = ['-f', `objects/${name}.yaml`]
    const text = await admit(args)
    assert.equal(text.stderr, 'asked: the manifests in manifests\n')
    assert.equal(text.code, exit)
    matchesGolden(`$ npx bulkhead admit --manifests manifests ${args.join(' ')}\n${text.stdout}`, `admit/${name}.txt`)
    const { code, stdout, stderr } = await admit([...args, '--json'])
    assert.equal(code, exit)
    assert.equal(stderr, '')
    matchesGolden(stdout, `admit/${name}.json`)
  })
}

interface Told {
  readonly user: string
  readonly objects: readonly {
    readonly id: string
    readonly operation: string
    readonly outcome: string
    readonly refusal?: { readonly message: string }
    readonly steps: readonly { readonly policy: string; readonly objectAt?: string }[]
  }[]
}

const told = async (args: readonly string[], options?: RunOptions): Promise<Told> =>
  JSON.parse((await admit([...args, '--json'], options)).stdout) as Told

test('the message of the seed, as kubectl would show it', async () => {
  const { stdout } = await admit(['-f', 'objects/hacker-root.yaml'])
  assert.match(
    stdout,
    /Error from server: error when creating "objects\/hacker-root\.yaml": admission webhook "vpol\.validate\.kyverno\.svc-fail" denied the request: Policy disallow-root-user failed: Running as root is forbidden/,
  )
})

test('from stdin; places are those of the text, and kubectl calls it STDIN', async () => {
  const stdin = readFileSync(path.join(folder, 'objects/hacker-root.yaml'), 'utf8')
  const { code, stdout } = await admit(['-f', '-'], { stdin })
  assert.equal(code, 1)
  assert.match(stdout, /error when creating "STDIN"/)
  assert.match(stdout, /\/spec\/containers\/0\/image {2}-:9:\d+/)
})

test('--manifests may be a whole k8s/, of which workloads and layers are in force', async () => {
  const args = ['-f', 'k8s/attacks/hacker-root.yaml', '--manifests', 'k8s']
  const { code, stdout, stderr } = await runCli(['admit', ...args], { cwd: repository })
  assert.equal(stderr, 'asked: the manifests in k8s\n')
  assert.match(stdout, /^Pod\/sandbox\/hacker-root {3}REFUSED by 10-admission/m)
  assert.equal(code, 1)
})

test('what the files hold counts: policies are in force, and take the place of the manifests’ own', async () => {
  const policy = (message: string, expression: string) => `apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: disallow-root-user }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  validations: [{ expression: "${expression}", message: ${message} }]
---
`
  const pod = readFileSync(path.join(folder, 'objects/exception.yaml'), 'utf8').replace(
    'name: migration',
    'name: other',
  )
  const theirs = await told(['-f', '-'], { stdin: policy('theirs', "request.userInfo.username == 'me'") + pod })
  assert.match(theirs.objects[1]?.refusal?.message ?? '', /failed: theirs$/)
  const asMe = await told(['-f', '-', '--as', 'me'], {
    stdin: policy('theirs', "request.userInfo.username == 'me'") + pod,
  })
  assert.equal(asMe.user, 'me')
  assert.equal(asMe.objects[1]?.outcome, 'allow')
})

test('what is there and differs is an update; what is there as it is given is asked about as if it were new', async () => {
  const namespaces = readFileSync(path.join(folder, 'manifests/namespaces.yaml'), 'utf8')
  const same = await told(['-f', '-'], { stdin: namespaces })
  assert.deepEqual(
    same.objects.map(({ operation }) => operation),
    ['CREATE', 'CREATE'],
  )
  const changed = await told(['-f', '-'], { stdin: namespaces.replace('restricted', 'baseline') })
  assert.deepEqual(
    changed.objects.map(({ operation }) => operation),
    ['UPDATE', 'CREATE'],
  )
})

test('bad input: exit code 2, a sentence, and where', async () => {
  const rows: [readonly string[], RunOptions, RegExp][] = [
    [[], {}, /required option '-f, --filename <path\.\.\.>' not specified/],
    [['-f', 'nowhere.yaml'], {}, /there is no file or folder "nowhere\.yaml"/],
    [['-f', '-'], { stdin: 'kind: [' }, /nobody was asked:\n-:1/],
    [['-f', '-', '--as', ' '], { stdin: '' }, /--as names nobody/],
    [
      ['-f', '-'],
      {
        stdin: `apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: x }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  validations: [{ expression: "object.spec.", message: m }]
`,
      },
      /the policies cannot be used:\n-:7: ValidatingPolicy\/x: spec\.validations\[0\]\.expression: /,
    ],
  ]
  for (const [args, options, says] of rows) {
    const { code, stderr, stdout } = await admit(args, options)
    assert.equal(code, 2, stderr)
    assert.match(stderr, says)
    assert.equal(stdout, '')
  }
})

test('no object: nothing to refuse', async () => {
  const { code, stderr } = await admit(['-f', '-'], { stdin: '' })
  assert.equal(code, 0)
  assert.match(stderr, /there is no object in these files/)
})

test('all that the repository has is admitted, with every policy of its own', async () => {
  const { code, stdout, stderr } = await runCli(['admit', '--offline', '-f', 'k8s/workloads'], { cwd: repository })
  assert.equal(code, 0, stdout + stderr)
  assert.doesNotMatch(stdout, /REFUSED|UNKNOWN/)
})
