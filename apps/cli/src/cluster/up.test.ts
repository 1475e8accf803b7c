import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { Place } from '@bulkhead/kind-cluster'
import { matchesGolden, repository } from '../golden.js'
import { shellWord } from '../places.js'
import { runCli } from '../testing.js'
import { down } from './down.js'
import { nodePlatform } from './plan.js'
import { goodCluster, quick, reader, recorded, type Table } from './testing.js'
import { up } from './up.js'

/** The same on every machine. */
const anywhere = (text: string): string => text.replaceAll(nodePlatform(), 'linux/amd64')

test('the plan, as it is read and typed', async () => {
  const { code, stdout, stderr } = await runCli(['cluster', 'up', '--plan'])
  assert.deepEqual([code, stderr], [0, ''])
  matchesGolden(anywhere(stdout), 'cluster/up-plan.txt')
})

test('the plan, for programs', async () => {
  const { code, stdout } = await runCli(['cluster', 'up', '--plan', '--json'])
  assert.equal(code, 0)
  matchesGolden(anywhere(stdout), 'cluster/up-plan.json')
})

test('the plan of taking it down', async (t) => {
  const { place } = recorded(t, () => [])
  const { code, stdout } = await runCli(['cluster', 'down', '--plan', '--state', place.folder.replace(/\/kind$/, '')])
  assert.equal(code, 0)
  assert.match(stdout, /^ {8}kind delete cluster --name bulkhead/m)
  assert.doesNotMatch(stdout, /docker network rm/, 'who made it is not known')
})

test('a plan needs no tool and writes nothing; outside of a clone there is none', async () => {
  const { code } = await runCli(['cluster', 'up', '--plan'], { env: { PATH: '' } })
  assert.equal(code, 0)
  const outside = await runCli(['cluster', 'up', '--plan'], { cwd: '/' })
  assert.equal(outside.code, 2)
  assert.match(outside.stderr, /clone of the repository/)
})

const admin = { username: 'YWRtaW5AZXhhbXBsZS5jb20=', password: 'aHVzaC1odXNo' }

/** A cluster on which all goes well, and that has the admin's password once it was made. */
const well =
  (more: Table = []) =>
  (place: Place): Table => [
    ...more,
    ...goodCluster(place),
    [
      'kubectl --namespace gthulhu get secrets',
      (_, nth) => ({
        stdout:
          nth === 0 ? '' : JSON.stringify({ items: [{ metadata: { name: 'gthulhu-manager-admin' }, data: admin }] }),
      }),
    ],
    [/^kubectl --namespace \S+ get secrets/, {}],
    ['docker exec bulkhead-worker curl', { stdout: '{"stand-in":true}' }],
    [/^(docker|kind load|helm|kubectl) /, {}],
    [/^node .*verify --on kind/, { stdout: 'all as expected\n' }],
  ]

test('up: progress on stderr, the report of the suite and what is told once on stdout', async (t) => {
  const given = recorded(t, well())
  const { io, stdout, stderr, code } = reader()
  await up({}, io, { ...given, ...quick })
  assert.equal(code(), 0, stderr())
  assert.deepEqual(given.tools.astray(given.place.kubeconfig), [])
  assert.match(stderr(), /^ 1\/27 {2}00:0\d {2}Make a cluster of three nodes, Kubernetes /m)
  assert.match(stderr(), /^ {9}waiting until every node has a network and takes pods$/m)
  assert.match(stdout(), /^all as expected\n/)
  assert.match(stdout(), /username {2}admin@example\.com\n {2}password {2}hush-hush\n/)
  assert.match(stdout(), /http:\/\/127\.0\.0\.1:30080\//)
  assert.doesNotMatch(stderr(), /hush/)
  assert.doesNotMatch(readFileSync(given.place.record, 'utf8'), /hush/)
  const again = reader()
  await up({}, again.io, { ...given, ...quick })
  assert.doesNotMatch(again.stdout(), /hush/)
  assert.match(again.stderr(), /^ 1\/27 .*: it is there already$/m)
})

test('up: an app that was built anew is told of when its pods are started again', async (t) => {
  let digest = 'old'
  const probe = 'localhost/bulkhead/probe:0.1.0'
  const images = () => ({ stdout: JSON.stringify({ images: [{ id: `sha256:${digest}`, repoTags: [probe] }] }) })
  const given = recorded(t, well([['docker exec bulkhead-worker crictl images', images]]))
  const restarts = () => given.tools.lines().filter((line) => /namespace (?!kube-system).* rollout restart /.test(line))
  await up({}, reader().io, { ...given, ...quick })
  assert.deepEqual(restarts(), [])
  digest = 'new'
  const { io, stderr } = reader()
  await up({}, io, { ...given, ...quick })
  assert.ok(restarts().includes('kubectl --namespace demo rollout restart deployment/intruder deployment/test-pod'))
  assert.match(stderr(), new RegExp(`^ {9}starting again what was started with an older ${probe}$`, 'm'))
})

test('up: differences that the suite finds are code 1, and the cluster stays', async (t) => {
  const given = recorded(t, well([[/^node .*verify/, { code: 1, stdout: '1 differs\n' }]]))
  const { io, stdout, stderr, code } = reader()
  await up({ json: true }, io, { ...given, ...quick })
  assert.equal(code(), 1)
  assert.match(stderr(), /The cluster is up, and the suite above found differences/)
  assert.deepEqual(JSON.parse(stdout()), { up: true, suite: { exit: 1 } })
  assert.match(stderr(), /^1 differs$/m)
  assert.match(stderr(), /^Secret gthulhu\/gthulhu-manager-admin is kept by the cluster alone: kubectl .* get secret/m)
  assert.doesNotMatch(stderr(), /hush/)
})

test('up: Ctrl-C while the suite runs waits for what it takes back, and what it says of that is said once', async (t) => {
  const controller = new AbortController()
  const ended = () => {
    setImmediate(() => controller.abort('SIGINT'))
    return { hangs: true, stderr: 'stopping: the suite takes back\n' }
  }
  const given = recorded(t, well([[/^node .*verify/, ended]]))
  const { io, stderr, code } = reader(controller.signal)
  await up({}, io, { ...given, ...quick })
  assert.equal(code(), 130)
  assert.deepEqual(stderr().match(/^stopping: .*/gm), ['stopping: the suite takes back'])
  const suite = given.tools.asked.find(({ tool }) => tool === 'node')
  assert.ok((suite?.graceMs ?? 0) >= 180_000, 'as long as an object may take to be deleted')
})

test('up: a step that failed says which, the command line, its last words, the cause, and what to type next', async (t) => {
  const said = 'Error: failed to pull image: toomanyrequests: You have reached your unauthenticated pull rate limit.\n'
  const given = recorded(t, well([[/^docker pull .*mongo/, { code: 1, stderr: said }]]))
  const { io, stderr, code } = reader()
  await up({}, io, { ...given, ...quick })
  assert.equal(code(), 2)
  assert.match(stderr(), /step 4, "Fetch the images of the databases .*", failed: it ended with code 1\./)
  assert.match(stderr(), /^ {2}docker pull --platform linux\/\w+ docker\.io\/library\/mongo:/m)
  assert.match(stderr(), /^ {2}Error: failed to pull image: toomanyrequests/m)
  assert.match(stderr(), /^Likely: /m)
  assert.match(stderr(), /cluster up` goes on at this step/)
})

test('up: Ctrl-C says what is there and how to go on, and has the code of its signal', async (t) => {
  const controller = new AbortController()
  const given = recorded(t, well([['helm upgrade --install cilium', { hangs: true }]]))
  const { io, stderr, code } = reader(controller.signal)
  const { run } = given.tools
  const tools = {
    ...given.tools,
    run: (...args: Parameters<typeof run>) => {
      if (args[0].args.includes('upgrade')) setImmediate(() => controller.abort('SIGINT'))
      return run(...args)
    },
  }
  await up({}, io, { ...given, tools, ...quick })
  assert.equal(code(), 130)
  assert.match(
    stderr(),
    /interrupted at "Install Cilium .*". The cluster is there, with 4 steps done\. .*cluster up` goes on/,
  )
})

test('up: with --state, what it says to type next is for that folder, and a shell takes it so', async (t) => {
  const state = "the state's"
  // From the root: whoever pastes it may be in another folder by then.
  const whole = shellWord(path.resolve(repository, state))
  const typed = (command: string): string => `npx bulkhead ${command} --state ${whole}`
  const given = recorded(t, well())
  const done = reader()
  await up({ state }, done.io, { ...given, ...quick })
  for (const command of ['attack --on kind', 'cluster status', 'cluster down'])
    assert.ok(done.stdout().includes(`\n  ${typed(command)} `), done.stdout())

  const failed = reader()
  await up({ state }, failed.io, { ...recorded(t, well([['docker buildx build', { code: 1 }]])), ...quick })
  assert.ok(failed.stderr().includes(`\`${typed('cluster up')}\` goes on at this step`), failed.stderr())
  assert.ok(failed.stderr().includes(`\`${typed('cluster down')}\` takes away`))

  const controller = new AbortController()
  const stopped = reader(controller.signal)
  const hangs = () => {
    setImmediate(() => controller.abort('SIGINT'))
    return { hangs: true }
  }
  await up({ state }, stopped.io, { ...recorded(t, well([['docker buildx build', hangs]])), ...quick })
  assert.ok(stopped.stderr().includes(`\`${typed('cluster up')}\` goes on, \`${typed('cluster down')}\` takes`))
})

test('down: says what went, what Docker keeps, and how to remove that; twice is none', async (t) => {
  const given = recorded(t, well())
  await up({}, reader().io, { ...given, ...quick })
  const { io, stdout, code } = reader()
  await down({}, io, given)
  assert.equal(code(), 0)
  assert.match(stdout(), /^The cluster is gone/)
  assert.match(stdout(), /localhost\/bulkhead\/probe:.*docker image rm/s)
  const again = reader()
  await down({}, again.io, given)
  assert.equal(again.code(), 2)
  assert.equal(again.stderr(), 'there was no cluster of ours.\n')
})

test('down: after Ctrl-C it says what goes on', async (t) => {
  const stop = new AbortController()
  const hangs = () => {
    setImmediate(() => stop.abort('SIGINT'))
    return { hangs: true }
  }
  const given = recorded(t, well([['kind delete cluster', hangs]]))
  await up({}, reader().io, { ...given, ...quick })
  const state = path.dirname(given.place.folder)
  const { io, stdout, stderr, code } = reader(stop.signal)
  await down({ state }, io, given)
  assert.deepEqual([code(), stdout()], [130, ''])
  const line = `npx bulkhead cluster down --state ${shellWord(state)}`
  assert.ok(stderr().endsWith(`interrupted; what is left of the cluster \`${line}\` takes away.\n`), stderr())
})

test('down: only what Docker has is said to be kept', async (t) => {
  const none = recorded(t, well([['docker image inspect', { code: 1, stderr: 'No such image' }]]))
  await up({}, reader().io, { ...none, ...quick })
  const said = reader()
  await down({}, said.io, none)
  assert.equal(said.code(), 0)
  assert.doesNotMatch(said.stdout(), /Docker keeps|image rm/)
  const some = recorded(t, well([[/^docker image inspect .*(probe|postgres)/, { code: 1, stderr: 'No such image' }]]))
  await up({}, reader().io, { ...some, ...quick })
  const shown = reader()
  await down({}, shown.io, some)
  assert.match(shown.stdout(), /Docker keeps.*\n {2}localhost\/bulkhead\/manager:/s)
  assert.doesNotMatch(shown.stdout(), /probe|postgres/)
})
