import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readPins } from '../pins.js'
import { runPlan } from '../run-plan.js'
import { type Answers, inspected, type Matcher, recordingTools } from '../testing/index.js'
import { commandsFor } from './commands.js'
import { outsideSteps } from './outside.js'
import { ownCluster, root, temporaryPlace } from './testing.js'
import type { Step } from './types.js'

const pins = readPins(root)
const file = readFileSync(join(root, 'k8s/platform/outside/coredns.yaml'), 'utf8')
const making = (kubeconfig: string): Step => ({
  ...{ id: 'cluster', part: 'cluster', title: 'Make it', why: 'Because.' },
  actions: [{ kind: 'run', command: commandsFor({ kubeconfig }).kind(['create', 'cluster'], 1) }],
})

/** The two steps on a cluster that is made for them. `inspect`: what Docker says of the container, one answer after the other. */
function prepared(t: TestContext, inspect: Answers, table: readonly (readonly [Matcher, Answers])[] = []) {
  const place = temporaryPlace(t)
  const tools = recordingTools([
    ...table,
    ['docker inspect bulkhead-outside localhost/bulkhead/probe:0.1.0', inspect],
    ['docker exec bulkhead-worker curl', { stdout: '{"stand-in":true,"host":"bulkhead-outside"}\n' }],
    [/^docker (run|container rm) /, {}],
    ['kubectl --namespace kube-system', {}],
    ...ownCluster(place),
  ])
  const plan = { steps: [making(place.kubeconfig), ...outsideSteps(commandsFor(place), pins)] }
  const notes: string[] = []
  const go = (signal?: AbortSignal) =>
    runPlan({
      ...{ plan, tools, place, resources: [], pauseMs: 0 },
      tell: (event) => void (event.kind === 'note' && notes.push(event.text)),
      ...(signal && { signal }),
    })
  const containers = () => tools.lines().flatMap((line) => /^docker (run|container rm)\b/.exec(line)?.[1] ?? [])
  return { tools, go, containers, notes }
}

const none: Answers = { code: 1, stdout: '[]\n' }
const well = { stdout: inspected({ wanted: 'sha256:1' }) }

test('it is started where there is none, and left as it is when it is well', async (t) => {
  const { go, containers, tools } = prepared(t, [none, well])
  assert.equal((await go()).kind, 'done')
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(containers(), ['run'])
  assert.equal(tools.lines().filter((line) => line.includes('patch configmap coredns')).length, 1)
})

for (const [what, given] of [
  ['stopped', { running: false }],
  ['of an image that has been built anew since', { image: 'sha256:old' }],
  ['without an address', { address: '' }],
] as const)
  test(`one of ours that is ${what} is made anew, and that is told`, async (t) => {
    const { go, containers, notes } = prepared(t, [none, { stdout: inspected({ wanted: 'sha256:1', ...given }) }])
    await go()
    assert.equal((await go()).kind, 'done')
    assert.deepEqual(containers(), ['run', 'container rm', 'run'])
    assert.match(notes.join(), /made anew/)
  })

test('what a cluster of before has left is not taken for the one of this cluster', async (t) => {
  const { go, containers } = prepared(t, well)
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(containers(), ['container rm', 'run'])
})

test("somebody else's container of that name is not touched, and nothing is done after it", async (t) => {
  const { go, containers, tools } = prepared(t, { stdout: inspected({ label: '', wanted: 'sha256:1' }) })
  await assert.rejects(go(), { code: 'not-ours', message: /bulkhead-outside.*was not made here.*docker rename/ })
  assert.deepEqual(containers(), [])
  assert.ok(!tools.lines().some((line) => line.includes('coredns')))
})

test('Ctrl-C while it starts: the next run makes it whole', async (t) => {
  const controller = new AbortController()
  const half = { stdout: inspected({ wanted: 'sha256:1', running: false, address: '' }) }
  const { go, containers } = prepared(t, [none, half], [['docker run', [{ hangs: true }, {}]]])
  const stopped = go(controller.signal)
  while (!containers().includes('run')) await new Promise((resolve) => setImmediate(resolve))
  controller.abort()
  assert.equal((await stopped).kind, 'interrupted')
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(containers(), ['run', 'container rm', 'run'])
})

test('it has nothing that somebody who takes it over could use, and no port of this machine', () => {
  const [start] = outsideSteps(commandsFor({ kubeconfig: 'k' }), pins)
  const args = start?.actions[0]?.command.args ?? []
  for (const flag of ['--read-only', '--cap-drop ALL', '--security-opt no-new-privileges', '--user 10001:10001'])
    assert.ok(args.join(' ').includes(flag), flag)
  assert.deepEqual(
    args.filter((arg) => /^(-p|--publish|-v|--volume|--mount|-e|--env|--privileged|--cap-add)/.test(arg)),
    [],
  )
})

test('with a bundle Docker is given the image first, of a file: the nodes have it, and Docker has not', () => {
  const images = ['localhost/bulkhead/probe:0.1.0', 'localhost/bulkhead/manager:0.1.0']
  const archives = [
    { file: '/b/platform.tar', images: ['quay.io/x:1'] },
    { file: '/b/apps.tar', images },
  ]
  const bundle = { ...{ file: '/b.tar', charts: {}, gatewayApi: '' }, node: { image: 'n', file: '' }, archives }
  const [start] = outsideSteps(commandsFor({ kubeconfig: 'k' }), pins, bundle)
  const lines = start?.actions.map(({ command }) => command.args.slice(0, 4).join(' ')) ?? []
  assert.equal(lines[0], 'image load --input /b/apps.tar')
  assert.match(lines[1] ?? '', /^run --detach /)
  assert.ok(start?.actions[1]?.command.args.join(' ').includes('--pull never'))
})

test('names of example lead to it and all else is as kubeadm has it', () => {
  const Corefile = corefile()
  const added =
    /^ {4}template IN A example \{\n.*CNAME bulkhead-outside\..*\n {4}\}\n {4}template ANY ANY example \{\n.*\n {4}\}\n/m
  assert.match(Corefile, added)
  assert.deepEqual(
    [...Corefile.replace(added, '').matchAll(/^ {4}([a-z]+)/gm)].map(([, plugin]) => plugin),
    ['errors', 'health', 'ready', 'kubernetes', 'prometheus', 'forward', 'cache', 'loop', 'reload', 'loadbalance'],
  )
})

test("when Kubernetes moves, kubeadm's Corefile is looked at again", () => {
  assert.ok(file.includes(`Kubernetes ${pins.kubernetes.split('.').slice(0, 2).join('.')},`))
})

/** The configuration in it. */
function corefile(): string {
  const [, body = ''] = file.split('  Corefile: |\n')
  return body.replaceAll(/^ {4}/gm, '')
}
