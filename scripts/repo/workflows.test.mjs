import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { wronglyTyped } from './commands.mjs'
import { inRoot, text } from './repository.mjs'

/*
 * The workflows run on somebody else's machines; here they are read.
 */

const folder = '.github/workflows'
const workflows = readdirSync(inRoot(folder)).map((name) => ({
  ...parse(text(path.posix.join(folder, name))),
  name,
}))
const jobs = workflows.flatMap(({ name, jobs: all }) =>
  Object.entries(all).map(([id, job]) => ({ workflow: name, id: `${name} ${id}`, ...job })),
)
const steps = jobs.flatMap((job) => job.steps.map((step) => ({ job: job.id, ...step })))
const jobOf = (id) => jobs.find((job) => job.id === id) ?? assert.fail(`no job ${id}`)
const pins = parse(text('k8s/platform/versions.yaml'))
const scripts = JSON.parse(text('package.json')).scripts
const ran = steps.filter(({ run }) => run !== undefined)

test('there is one for this machine alone, and one for a cluster: nightly and on demand', () => {
  assert.deepEqual(workflows.map(({ name }) => name).sort(), ['ci.yml', 'kind.yml'])
  const { on } = workflows.find(({ name }) => name === 'kind.yml')
  assert.match(on.schedule[0].cron, /^\d+ \d+ \* \* \*$/)
  assert.ok('workflow_dispatch' in on)
})

test('they may read the repository and nothing else, and know no secret', () => {
  for (const { name, permissions, on } of workflows) {
    assert.deepEqual(permissions, { contents: 'read' }, name)
    // Of a stranger's request it would run with what the branch may.
    assert.ok(!('pull_request_target' in on), name)
    assert.doesNotMatch(text(path.posix.join(folder, name)), /\bsecrets[.[]|github\.token|\bGITHUB_TOKEN\b/, name)
  }
  for (const { id, permissions } of jobs) assert.equal(permissions, undefined, id)
})

test('every job ends some day, and every action is of a version', () => {
  for (const { id, 'timeout-minutes': minutes } of jobs) assert.ok(minutes >= 1 && minutes <= 210, id)
  const uses = steps.flatMap(({ uses: action }) => action ?? [])
  assert.ok(uses.length > 10)
  for (const action of uses) assert.match(action, /^[\w-]+\/[\w-]+@(v\d+(\.\d+)*|[0-9a-f]{40})$/)
})

test('nothing that somebody may write from outside gets into a script', () => {
  for (const { job, run } of ran)
    for (const [, expression] of run.matchAll(/\$\{\{\s*([^}]*?)\s*\}\}/g))
      assert.match(expression, /^github\.workspace$/, job)
})

test('what they run is there', () => {
  let seen = 0
  for (const { job, run } of ran) {
    for (const [, name] of run.matchAll(/\bnpm run ([a-z:]+)/g)) {
      seen += 1
      assert.ok(name in scripts, `${job}: npm run ${name}`)
    }
    for (const [, file] of run.matchAll(/(?:\bnode |(?<![\w/]))((?:scripts|\.ci)\/[\w./-]+)/g)) {
      seen += 1
      assert.ok(existsSync(inRoot(file)), `${job}: ${file}`)
      if (file.startsWith('.ci/')) assert.ok(statSync(inRoot(file)).mode & 0o100, `${file} cannot be run`)
    }
    for (const [, file] of run.matchAll(/(?<=\s)(k8s\/[\w/-]+)(?=[\s;]|$)/gm)) assert.ok(existsSync(inRoot(file)), file)
  }
  assert.ok(seen > 5, `${seen}`)
})

test('every command of ours that they type is there, with its options', async () => {
  const { typed, mistakes } = await wronglyTyped(ran.map(({ run }) => run).join('\n'))
  assert.deepEqual(mistakes, [])
  assert.ok(typed > 5)
})

test('Node.js: the oldest that is promised, and every line since that has long-term support', () => {
  const { matrix } = jobOf('ci.yml test').strategy
  const [oldest, ...others] = matrix.node
  assert.equal(`>=${oldest}.0`, JSON.parse(text('package.json')).engines.node)
  assert.match(text('README.md'), new RegExp(`Node\\.js ${oldest.replace('.', '\\.')} or newer`))
  const newest = Number(pins.node.version.split('.')[0])
  const lines = Array.from({ length: (newest - 20) / 2 }, (_, index) => String(22 + 2 * index))
  assert.deepEqual(others, lines)
  assert.deepEqual(matrix.os, ['ubuntu-latest', 'macos-latest'])
  assert.equal(jobOf('ci.yml wsl')['runs-on'], 'windows-latest')
})

test('no test is left out in silence where there is what it needs', () => {
  const { env } = jobOf('ci.yml test').steps.find(({ run }) => run === 'npm test')
  assert.deepEqual(env, { BULKHEAD_BROWSER: 'required', BULKHEAD_KUBECTL: 'required' })
  for (const name of Object.keys(env)) assert.match(text('.ci/run'), new RegExp(`^export ${name}=required$`, 'm'))
})

test('the images are built of every app, here and for a release', () => {
  const apps = pins.images.flatMap((image) => /^localhost\/bulkhead\/([a-z-]+):/.exec(image)?.[1] ?? [])
  for (const id of ['ci.yml images', 'kind.yml release']) {
    const loops = jobOf(id).steps.flatMap(({ run = '' }) => /for app in ([a-z -]+);/.exec(run)?.[1] ?? [])
    assert.deepEqual(
      loops.map((names) => names.split(' ').sort()),
      [apps.toSorted()],
      id,
    )
  }
})

/** Where an earlier step failed before there was a cluster, that there is none hides nothing of it. */
const isDown = ({ run = '' }) => /cluster down \|\| \[ \$\? -eq 2 \]/.test(run)

test('every set of manifests for a cluster of kind is shown to it', () => {
  const { run } = jobOf('kind.yml cluster').steps.find((step) => step.run?.includes('--dry-run=server'))
  for (const folder of ['k8s/workloads/*', 'k8s/layers/*', 'k8s/stacks/kind', 'k8s/stacks/scale'])
    assert.ok(run.includes(` ${folder}`), folder)
})

test('the cluster is asked for reports, which are kept, and taken down whatever happened', () => {
  const own = jobOf('kind.yml cluster').steps
  const isAlways = ({ if: when = '' }) => /always\(\)/.test(when)
  // The suite is the last step of `up`, which leaves its reports; once is enough.
  assert.deepEqual(
    own.filter(({ run = '' }) => run.includes('verify --on kind')),
    [],
  )
  const up = own.find(({ run = '' }) => /cluster up(?! --plan)/.test(run))
  assert.match(up.run, /cp \.bulkhead\/kind\/verify\.\* reports\//)
  const doctors = own.flatMap(({ run = '' }, at) => (run.startsWith('npx bulkhead cluster doctor') ? [at] : []))
  assert.deepEqual(
    doctors.map((at) => at > own.indexOf(up)),
    [false, true],
  )
  assert.ok(own.some(({ run, env }) => run === 'test "$CODE" -eq 0' && /steps\.up\.outputs\.code/.test(env.CODE)))
  assert.ok(up['timeout-minutes'] >= 120)
  assert.ok(own.some((step) => isAlways(step) && isDown(step)))
  assert.ok(own.some((step) => isAlways(step) && step.uses?.startsWith('actions/upload-artifact@')))
  assert.ok(own.some(({ run, if: when = '' }) => run === '.ci/keep reports' && when.includes('failure()')))
  for (const what of ['cluster-info dump', 'kind export logs', 'cluster.log', 'policies.yaml'])
    assert.ok(text('.ci/keep').includes(what), `.ci/keep does not keep ${what}`)
})

test('nothing that fails is passed over', () => {
  for (const { id, steps } of jobs)
    for (const { run = '' } of steps) assert.doesNotMatch(run, /\|\| (true|:)(\s|$)/, `${id}: ${run}`)
  assert.doesNotMatch(text('.ci/keep'), /\|\| (true|:)(\s|$)/)
})

test('a cluster is made from a bundle where the network is cut, each cut is tried, and its report is kept', () => {
  const own = jobOf('kind.yml bundle').steps
  const at = (words) => {
    const index = own.findIndex(({ run = '', uses = '' }) => run.includes(words) || uses.startsWith(words))
    return index < 0 ? assert.fail(`no step with ${words}`) : index
  }
  const order = [
    'cluster bundle',
    'docker image ls',
    'iptables',
    'npm ci --offline',
    'cluster up --bundle "$BUNDLE"\' ||',
    'differs.txt',
  ]
  const places = order.map(at)
  assert.deepEqual(
    places,
    places.toSorted((one, other) => one - other),
  )
  const cut = own[at('iptables')].run
  for (const words of ['DOCKER-USER', 'docker.service.d', '--gid-owner offline', 'docker pull'])
    assert.ok(cut.includes(words), words)
  // From there on nothing of ours may use the runner's own network.
  for (const { run = '' } of own.slice(at('iptables') + 1).filter((step) => step.if === undefined))
    for (const line of run.split('\n').filter((one) => /\b(npx|npm) /.test(one)))
      assert.match(line, /^\s*sg offline -c /, line)
  assert.ok(own.some(({ if: when = '', ...step }) => when.startsWith('always()') && isDown(step)))
  assert.ok(own.some((step) => step.if === 'always()' && step.uses?.startsWith('actions/upload-artifact@')))
  // What the reports are asked for is what they say.
  const { run } = own[at('differs.txt')]
  const asked = [...run.matchAll(/\.status == "([a-z-]+)"/g)].map(([, status]) => status)
  const [, known] = /type Status =([^\n]*)/.exec(text('packages/scenarios/src/result.ts'))
  assert.equal(asked.length, 4)
  for (const status of asked) assert.ok(known.includes(`'${status}'`), status)
})
