import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { loadManifests } from '@bulkhead/resources'
import { compile, judge } from '@bulkhead/verdict'
import { admit, compileAdmission } from '@bulkhead/verdict/admission'
import { type Answer, type RecordingTools, recordingTools } from '../testing/index.js'
import { CANARY_FOLDER, canaryNamespace, canarySteps, runCanary } from './canary.js'

const root = resolve(import.meta.dirname, '../../../..')
const place = { kubeconfig: '/clone/.bulkhead/kind/kubeconfig' }
const quick = { pauseMs: 1 }
const saw = (symptom: string): Answer => ({ stdout: `${JSON.stringify({ symptom, phase: 'connect' })}\n` })

function tools(calls: readonly Answer[], more: Readonly<Record<string, Answer>> = {}): RecordingTools {
  const { apply = {}, wait = {} } = more
  return recordingTools([
    ['kubectl exec', calls],
    ['kubectl apply --filename', apply],
    ['kubectl apply', {}],
    ['kubectl wait', wait],
    ['kubectl delete namespace bulkhead-canary', {}],
  ])
}
const verbs = (asked: RecordingTools): string =>
  asked
    .lines()
    .map((line) => line.split(' ')[1])
    .join(' ')

describe('the canary', () => {
  it('is served, then denied, then gone: the CNI enforces', async () => {
    const asked = tools([saw('ok'), saw('ok'), saw('timeout')])
    const titles: string[] = []
    const report = await runCanary(asked, place, { ...quick, onStep: ({ id }) => titles.push(id) })
    assert.equal(report.outcome, 'enforced')
    // The policy takes a moment: the second call was served, and asked again.
    assert.equal(verbs(asked), 'delete apply wait exec apply exec exec delete')
    assert.deepEqual(titles, ['clear', 'pods', 'ready', 'served', 'policy', 'denied', 'gone'])
    assert.deepEqual(asked.astray(place.kubeconfig), [])
    assert.equal(
      asked.lines()[3],
      'kubectl exec --namespace bulkhead-canary --stdin client -- node /app/dist/main.js attempt',
    )
    assert.match(asked.asked[3]?.stdin ?? '', /"host":"server","port":8080/)
  })

  it('tells a CNI that enforces nothing from a call that never worked', async () => {
    const briefly = { ...quick, withinMs: 20 }
    const open = await runCanary(tools([saw('ok')]), place, briefly)
    assert.deepEqual([open.outcome, open.at?.id], ['open', 'denied'])
    assert.equal(open.found, 'a call that a NetworkPolicy denies was served all the same')
    const silent = await runCanary(tools([saw('dns-failure')]), place, briefly)
    assert.deepEqual([silent.outcome, silent.at?.id], ['silent', 'served'])
    assert.match(silent.found, /not reached before any policy was there: dns-failure$/)
    const other = await runCanary(tools([saw('ok'), saw('refused')]), place, briefly)
    assert.deepEqual([other.outcome, other.at?.id], ['failed', 'denied'])
    assert.match(other.found, /ended with refused, and not with timeout$/)
  })

  it('is taken away however it went, and a failed command is told with what it said', async () => {
    const stderr = 'error: timed out waiting for the condition on pods/server\n'
    const asked = tools([], { wait: { code: 1, stderr } })
    const report = await runCanary(asked, place, quick)
    assert.equal(report.outcome, 'failed')
    assert.equal(report.found, `"Wait until both are ready" ended with exit 1: ${stderr.trim()}`)
    assert.equal(report.at?.id, 'ready')
    assert.equal(verbs(asked), 'delete apply wait delete')
  })

  it('is taken away when it is called off', async () => {
    const abort = new AbortController()
    const asked = tools([{ hangs: true }])
    const run = runCanary(asked, place, {
      ...quick,
      signal: abort.signal,
      onStep: ({ id }) => id === 'served' && setImmediate(() => abort.abort(new Error('Ctrl-C'))),
    })
    await assert.rejects(run, /Ctrl-C/)
    assert.equal(verbs(asked), 'delete apply wait exec delete')
  })
})

describe('the steps', () => {
  it('have limits for everything, longer than the tools have themselves', () => {
    for (const { id, command } of canarySteps(place)) {
      const own = command.args.find((arg) => arg.startsWith('--timeout='))
      if (own !== undefined)
        assert.ok(Number.parseInt(own.slice('--timeout='.length), 10) * 1000 < command.timeoutMs, id)
      assert.ok(command.timeoutMs > 0, id)
    }
  })
})

describe('the manifests', async () => {
  const { resources: canary } = await loadManifests(
    [join(root, CANARY_FOLDER), join(root, CANARY_FOLDER, 'deny.yaml')],
    { relativeTo: root },
  )
  const { resources: layers } = await loadManifests([join(root, 'k8s/layers')], { relativeTo: root })

  it('are one namespace of its own, with nothing in another', () => {
    assert.ok(canary.length >= 7)
    for (const { kind, name, namespace } of canary)
      assert.equal(kind === 'Namespace' ? name : namespace, canaryNamespace, `${kind}/${name}`)
  })

  it('predict what is to be seen: served without the policy, a timeout with it', () => {
    const flow = {
      from: { workload: `${canaryNamespace}/client` },
      to: { service: `${canaryNamespace}/server` },
      port: 8080,
      http: { method: 'GET', path: '/' },
    }
    const without = judge(flow, compile(canary.filter(({ kind }) => kind !== 'NetworkPolicy')))
    const denied = judge(flow, compile(canary))
    assert.deepEqual([without.outcome, without.symptom], ['allow', 'ok'])
    assert.deepEqual([denied.outcome, denied.symptom], ['deny', 'timeout'])
    // The layers of the fleet are not about it: the canary may be sent in later, too.
    assert.equal(
      judge(flow, compile([...canary.filter(({ kind }) => kind !== 'NetworkPolicy'), ...layers])).outcome,
      'allow',
    )
  })

  it('are let in by 10-admission and by Pod Security', () => {
    const engine = compileAdmission([...layers, ...canary])
    for (const resource of canary) {
      const answer = admit({ operation: 'CREATE', object: resource }, engine)
      assert.equal(answer.outcome, 'allow', `${resource.id}: ${JSON.stringify(answer)}`)
    }
  })
})
