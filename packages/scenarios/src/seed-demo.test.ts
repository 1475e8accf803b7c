import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { loadManifests, parseManifests, type Resource } from '@bulkhead/resources'
import { compile, type Flow, judge, outsideAddress, type Snapshot, type Verdict } from '@bulkhead/verdict'

/*
 * The demo's network policies as they are often written, on the workloads of this repository, and what they let through.
 * No other layer is on: this is the network's word alone.
 */

const root = resolve(import.meta.dirname, '../../..')
const fixtures = join(root, 'packages/scenarios/fixtures/seed-demo')
const { resources: workloads } = await loadManifests([join(root, 'k8s/workloads')], { relativeTo: root })

function read(file: string): readonly Resource[] {
  const { resources, diagnostics } = parseManifests(readFileSync(file, 'utf8'), file)
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return resources
}

const hbone = read(join(root, 'k8s/attacks/seed-hbone.yaml'))
const defaultDeny = read(join(fixtures, 'default-deny.yaml'))
const denyAll = read(join(fixtures, 'deny-all.yaml'))
const appPorts = read(join(fixtures, 'app-ports.yaml'))
const healthChecks = read(join(fixtures, 'health-checks.yaml'))
const ours = read(join(root, 'k8s/layers/20-network/demo/allow-probes.yaml'))

const withPolicies = (...policies: readonly (readonly Resource[])[]): Snapshot =>
  compile([...workloads, ...policies.flat()])
const seed = withPolicies(defaultDeny, hbone, appPorts, healthChecks)

const inDemo = ['hello-app', 'postgres', 'intruder', 'test-pod'].map((name) => `demo/${name}`)
const toPostgres = (from: string): Flow => ({ from: { workload: from }, to: { service: 'demo/postgres' }, port: 5432 })
const fromOutside: Flow = {
  from: { external: outsideAddress },
  to: { workload: 'demo/postgres' },
  port: 5432,
}
const codeOf = ({ decidedBy, steps }: Verdict): string | undefined => steps[decidedBy?.step ?? -1]?.code
const probeOf = (snapshot: Snapshot): Flow => {
  const node = [...snapshot.pods.values()].find(({ workload }) => workload === 'demo/postgres')?.node ?? ''
  return { from: { node }, to: { workload: 'demo/postgres' }, port: 5432 }
}

describe('15008 opened for all pods of the namespace', () => {
  it('lets every one of them to every port of every other', () => {
    for (const from of inDemo) {
      for (const to of inDemo.filter((other) => other !== from)) {
        for (const { port, protocol } of seed.pods.get(keyOf(to))?.ports ?? []) {
          const flow: Flow = { from: { workload: from }, to: { workload: to }, port, protocol }
          assert.equal(judge(flow, seed).outcome, 'allow', `${from} -> ${to}:${port}`)
        }
      }
    }
    assert.equal(judge(toPostgres('demo/test-pod'), seed).outcome, 'allow')
  })

  it('makes the policies on the apps’ ports say nothing: without them all is as with them', () => {
    const without = withPolicies(defaultDeny, hbone, healthChecks)
    for (const from of inDemo.slice(0, 1).concat(inDemo.slice(2))) {
      assert.equal(judge(toPostgres(from), without).outcome, judge(toPostgres(from), seed).outcome, from)
    }
  })

  it('is what opens it: the policies on the apps’ ports alone let nobody through, not even who they name', () => {
    const without = withPolicies(defaultDeny, appPorts)
    for (const from of ['demo/hello-app', 'demo/test-pod']) {
      assert.equal(codeOf(judge(toPostgres(from), without)), 'cni.default-deny', from)
    }
  })

  it('ends at the namespace', () => {
    assert.equal(judge(toPostgres('sandbox/intruder'), seed).outcome, 'deny')
  })
})

describe('world, for the sake of probes', () => {
  it('opens the database to the outside, in plain text', () => {
    const verdict = judge(fromOutside, seed)
    assert.equal(verdict.outcome, 'allow')
    assert.equal(
      verdict.steps.find(({ point }) => point === 'cni-ingress')?.policy,
      'CiliumNetworkPolicy/demo/postgres-health-checks',
    )
    assert.equal(verdict.hops[0]?.tuple.port, 5432)
    assert.equal(verdict.hops[0]?.as, undefined)
  })

  it('does let the probes in, and so does their one address, which lets in nothing else', () => {
    const narrow = withPolicies(defaultDeny, hbone, appPorts, ours)
    for (const snapshot of [seed, narrow]) assert.equal(judge(probeOf(snapshot), snapshot).outcome, 'allow')
    assert.equal(codeOf(judge(fromOutside, narrow)), 'cni.default-deny')
    const none = withPolicies(defaultDeny, hbone, appPorts)
    assert.equal(codeOf(judge(probeOf(none), none)), 'cni.default-deny')
  })
})

describe('deny rules that are empty', () => {
  it('deny nothing: what another policy allows passes', () => {
    assert.equal(judge(toPostgres('demo/hello-app'), seed).outcome, 'allow')
  })

  it('isolate, so what nobody allows is denied by default and not by a rule', () => {
    assert.equal(codeOf(judge(toPostgres('demo/test-pod'), withPolicies(defaultDeny))), 'cni.default-deny')
    assert.equal(judge(toPostgres('demo/test-pod'), withPolicies()).outcome, 'allow')
  })

  it('are not what their author wanted: a deny of everyone leaves nothing that works', () => {
    const closed = withPolicies(denyAll, hbone, appPorts, healthChecks)
    for (const flow of [...['demo/hello-app', 'demo/test-pod'].map(toPostgres), fromOutside, probeOf(closed)]) {
      assert.equal(codeOf(judge(flow, closed)), 'cni.rule-denies')
    }
  })
})

describe('one after the other, as files are applied', () => {
  const files = [defaultDeny, hbone, appPorts, healthChecks]
  const after = (count: number): Snapshot => withPolicies(...files.slice(0, count))

  it('leaves a window in which nothing is closed, and then one in which nothing works', () => {
    for (const flow of [toPostgres('demo/test-pod'), fromOutside]) assert.equal(judge(flow, after(0)).outcome, 'allow')
    for (const flow of [toPostgres('demo/hello-app'), probeOf(after(1))]) {
      assert.equal(codeOf(judge(flow, after(1))), 'cni.default-deny')
    }
  })

  it('is restarted by its probes until the last one is there', () => {
    const probed = files.map((_, index) => judge(probeOf(after(index + 1)), after(index + 1)).outcome)
    assert.deepEqual(probed, ['deny', 'deny', 'deny', 'allow'])
  })
})

function keyOf(workload: string): string {
  return [...seed.pods.values()].find((pod) => pod.workload === workload)?.key ?? ''
}
