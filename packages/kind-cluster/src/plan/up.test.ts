import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadManifests } from '@bulkhead/resources'
import { parseYaml } from '@bulkhead/resources/yaml'
import { readPins } from '../pins.js'
import { placeOf } from '../place.js'
import { namesOurCluster, shortCommandLine } from '../tools/command-line.js'
import { commandsFor } from './commands.js'
import { doors, layerNames, layerOff } from './layers.js'
import { root } from './testing.js'
import type { Step } from './types.js'
import { badExamples, upPlan } from './up.js'
import { readFacts } from './workloads.js'

const place = placeOf(root, join(root, '.bulkhead'))
const pins = readPins(root)
const facts = await readFacts(root)
const { steps } = upPlan({ place, pins, platform: 'linux/amd64', facts })
const commands = steps.flatMap(({ actions, done, cleanup }) => [
  ...actions.map(({ command }) => command),
  ...(typeof done === 'object' ? [done.command] : []),
  ...(cleanup === undefined ? [] : [cleanup]),
])
const lines = commands.map(shortCommandLine)
const at = (id: string): number => {
  const index = steps.findIndex((step) => step.id === id)
  assert.ok(index >= 0, id)
  return index
}

test('every command that asks a cluster names ours, by file and by context', () => {
  assert.deepEqual(
    commands.filter((command) => !namesOurCluster(command, place.kubeconfig)),
    [],
  )
  assert.ok(commands.some(({ tool }) => tool === 'helm') && commands.some(({ tool }) => tool === 'kubectl'))
  for (const { tool, args } of commands.filter((one) => one.tool === 'kind' && one.args[0] !== 'load'))
    assert.ok(args.includes('--kubeconfig'), `${tool} ${args.join(' ')} would write to the reader's own kubeconfig`)
})

test('the order leaves nothing open: what enforces, then the walls, then what is behind them', () => {
  const order = ['cluster', 'build-images', 'load-images', 'databases', 'cilium', 'canary']
  const outside = ['outside', 'outside-names', 'gateway-api', 'istio-base']
  const rest = ['istio-istiod', 'istio-cni', 'istio-ztunnel', 'kyverno', 'accounts', '10-admission', 'refusals']
  const last = [...layerNames.slice(1), 'secrets', 'workloads', 'ready', 'verify']
  assert.deepEqual(
    steps.map(({ id }) => id),
    [...order, ...outside, ...rest, ...last],
  )
  const starts = (step: Step): boolean =>
    step.actions.some(({ command }) =>
      command.args.some((arg) => arg.startsWith('k8s/workloads/') && !arg.includes('secret')),
    )
  assert.deepEqual(
    steps.filter(starts).map(({ id }) => id),
    ['workloads'],
  )
})

test('what is installed is what is pinned', () => {
  const line = (start: string): string => lines.find((one) => one.startsWith(start)) ?? ''
  assert.match(line('helm upgrade --install cilium'), new RegExp(`--version ${pins.cilium} `))
  for (const chart of ['base', 'istiod', 'cni', 'ztunnel'])
    assert.match(line(`helm upgrade --install istio-${chart} ${chart}`), new RegExp(`--version ${pins.istio} `))
  assert.match(line('helm upgrade --install kyverno'), new RegExp(`--version ${pins.kyverno.chart} `))
  assert.ok(lines.some((one) => one.includes(`/download/v${pins.gatewayApi}/standard-install.yaml`)))
  const ours = pins.images.filter((image) => image.startsWith('localhost/'))
  assert.equal(lines.filter((one) => one.startsWith('docker buildx build')).length, ours.length)
  const wanted = ['docker.io/library/mongo', 'docker.io/library/postgres']
  for (const image of [...ours, ...pins.images.filter((one) => wanted.includes(one.split(':')[0] ?? ''))])
    assert.ok(
      lines.some((one) =>
        one.startsWith('kind load') || one.startsWith('docker image save') ? one.includes(image) : false,
      ),
      image,
    )
})

test('every file and folder of this clone that a command names is there', () => {
  for (const path of commands
    .flatMap(({ args }) => args)
    .filter((arg) => /^(k8s|apps)\/|^kind-config|^Dockerfile/.test(arg)))
    assert.doesNotThrow(() => readFileSync(join(root, path.includes('.') ? path : `${path}/kustomization.yaml`)), path)
  for (const file of steps.flatMap(({ files = [] }) => files))
    assert.doesNotThrow(() => readFileSync(join(root, file)), file)
})

test('each step says what and why, and has a time limit on every command; ids are unique', () => {
  assert.equal(new Set(steps.map(({ id }) => id)).size, steps.length)
  for (const { title, why, actions } of steps) {
    assert.match(why, /^\S.*\.$/s, title)
    assert.ok(actions.length > 0, title)
  }
  for (const { timeoutMs, args } of commands) {
    const told = /^--timeout=(\d+)([ms])$/.exec(args.find((arg) => arg.startsWith('--timeout=')) ?? '')
    if (told !== null)
      assert.ok(
        timeoutMs > Number(told[1]) * (told[2] === 'm' ? 60_000 : 1_000),
        `${args.join(' ')}: ended before it gives up itself`,
      )
    assert.ok(timeoutMs > 0)
  }
})

test('each policy of 10-admission is tried, with what the API server lets come as far as Kyverno', async () => {
  const accounts = await loadManifests([join(root, 'k8s/workloads')], { relativeTo: root })
  const known = new Set(
    accounts.resources.flatMap(({ kind, namespace, name }) =>
      kind === 'ServiceAccount' ? [`${namespace}/${name}`] : [],
    ),
  )
  const tried = steps[at('refusals')]?.actions ?? []
  assert.deepEqual(
    tried.map((action) => (action.kind === 'refused' ? action.by : undefined)),
    facts.policies,
  )
  for (const [index, policy] of facts.policies.entries()) {
    assert.ok(tried[index]?.command.args.includes('--dry-run=server'), `${policy}: would be created`)
    if (!tried[index]?.command.args.includes(badExamples(policy))) continue
    const { documents } = parseYaml(readFileSync(join(root, badExamples(policy)), 'utf8'))
    const comes = documents.some(({ value }) => {
      const { kind, metadata, spec } = value as {
        readonly kind: string
        readonly metadata: { readonly namespace?: string }
        readonly spec?: { readonly serviceAccountName?: string }
      }
      // A pod of an account that is not there is refused before anybody is asked.
      return kind !== 'Pod' || known.has(`${metadata.namespace}/${spec?.serviceAccountName}`)
    })
    assert.ok(comes, `${policy}: none of its bad examples gets as far as Kyverno`)
  }
})

test('whatever of the workloads has an image of ours is started again where that is another one, and then waited for', () => {
  const actions = steps[at('workloads')]?.actions ?? []
  const restarted = actions.flatMap((action) => (action.kind === 'restart' ? [action] : []))
  const named = restarted.flatMap(({ command: { args } }) => {
    const namespace = args[args.indexOf('--namespace') + 1]
    return args.filter((arg) => /^(deployment|statefulset|daemonset)\//.test(arg)).map((one) => `${namespace} ${one}`)
  })
  assert.deepEqual(named.toSorted(), facts.images.map((one) => `${one.namespace} ${one.workload}`).toSorted())
  assert.ok(named.includes('shop deployment/web-api') && !named.some((one) => one.includes('postgres')))
  const ofTheChain = restarted.filter(({ images }) => images.some((image) => image.includes('/chain-service:')))
  assert.equal(ofTheChain.length, 1)
  assert.equal(
    actions.findLastIndex(({ kind }) => kind === 'run') < actions.findIndex(({ kind }) => kind === 'restart'),
    true,
  )
  const ours = pins.images.filter((image) => image.startsWith('localhost/'))
  for (const image of steps[at('workloads')]?.images?.names ?? assert.fail('none'))
    assert.ok(ours.includes(image), image)
  const waits = (steps[at('ready')]?.actions ?? []).map(({ command: { args } }) => args.join(' '))
  for (const one of named) {
    const [namespace, workload = ''] = one.split(' ')
    assert.ok(
      waits.some((line) => line.includes(`--namespace ${namespace} rollout status`) && line.includes(workload)),
      one,
    )
  }
})

test('secrets are piped, never in a command line, and marked so that nobody logs them', () => {
  const piped = steps[at('secrets')]?.actions.find(({ kind }) => kind === 'piped')
  assert.equal(piped?.command.secret, true)
  assert.equal(piped?.command.stdin, undefined)
  assert.ok(piped?.command.args.includes('--server-side'))
})

test('of secrets kubectl is told what their files say, after the values and without an apply that has none', () => {
  const [piped, note, ...more] = steps[at('secrets')]?.actions ?? []
  assert.equal(piped?.kind, 'piped')
  const { args = [] } = note?.command ?? {}
  for (const word of ['set-last-applied', '--create-annotation', ...facts.secretFiles])
    assert.ok(args.includes(word), word)
  assert.deepEqual(more, [])
})

test('the suite leaves its reports beside the log, and has time on a slow machine', () => {
  const { args = [], timeoutMs = 0 } = steps[at('verify')]?.actions[0]?.command ?? {}
  const files = args.filter((_, index) => args[index - 1] === '--output')
  assert.deepEqual(
    files,
    ['txt', 'json', 'xml', 'html'].map((form) => join(place.folder, `verify.${form}`)),
  )
  // The suite takes 25 to 40 minutes.
  assert.ok(timeoutMs > 60 * 60_000)
})

test('another state folder is named where our own commands are typed', () => {
  const elsewhere = upPlan({ place: placeOf(root, '/elsewhere/state'), pins, platform: 'linux/amd64', facts }).steps
  const verify = elsewhere.at(-1)?.actions[0]?.command.args ?? []
  assert.deepEqual(verify.slice(-2), ['--state', '/elsewhere/state'])
  const piped = elsewhere.flatMap(({ actions }) => actions).find(({ kind }) => kind === 'piped')
  assert.deepEqual(piped?.kind === 'piped' ? piped.from.slice(-2) : [], ['--state', '/elsewhere/state'])
  assert.ok(!steps.at(-1)?.actions[0]?.command.args.includes('--state'))
})

const { resources } = await loadManifests([join(root, 'k8s/workloads'), join(root, 'k8s/layers')], { relativeTo: root })

test('a wall is down when what istiod had made of its Gateways is gone, so that the next is not ready by the old one', () => {
  for (const layer of layerNames) {
    const [first = '', ...waits] = layerOff(commandsFor(place), layer).map(({ command }) => shortCommandLine(command))
    assert.equal(first, `kubectl delete -k k8s/layers/${layer} --ignore-not-found`)
    const gateways = resources.filter((one) => one.kind === 'Gateway' && one.layer === layer)
    const wanted = gateways.map(
      ({ namespace, name }) =>
        `kubectl --namespace ${namespace} wait --for=delete deployments,services,serviceaccounts,pods --selector=gateway.networking.k8s.io/gateway-name=${name},gateway.istio.io/managed --timeout=3m`,
    )
    assert.deepEqual(waits.toSorted(), wanted.toSorted(), layer)
    assert.equal(wanted.length > 0, ['60-requests', '70-ingress'].includes(layer))
  }
})

test('the doors are the gateways of 70-ingress', () => {
  const gateways = resources.filter(({ kind, layer }) => kind === 'Gateway' && layer === '70-ingress')
  assert.deepEqual(
    doors.map(({ namespace, name }) => `${namespace}/${name}`).sort(),
    gateways.map(({ namespace, name }) => `${namespace}/${name}`).sort(),
  )
})
