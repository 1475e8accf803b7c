import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadManifests } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import { best } from '../testing/yardstick.js'
import type { Flow } from '../types.js'

/* This project's own manifests, in units of the yardstick: 50 ms for all flows, and 50 microseconds for one. */

const MATRIX_MS = 50
const FLOW_US = 50

const k8s = fileURLToPath(new URL('../../../../k8s', import.meta.url))
const { resources } = await loadManifests([`${k8s}/workloads`, `${k8s}/layers`])

/** Every workload to every port of every other. */
function everyFlow(): Flow[] {
  const pods = [...new Map([...compile(resources).pods.values()].map((pod) => [pod.workload, pod])).values()]
  return pods.flatMap((from) =>
    pods
      .filter((to) => to !== from)
      .flatMap((to) =>
        to.ports.map(({ port, protocol }) => ({
          from: { workload: from.workload },
          to: { workload: to.workload },
          port,
          protocol,
        })),
      ),
  )
}

test('every flow between the workloads, with reasons, of a new snapshot: under 50 ms', (t) => {
  const flows = everyFlow()
  assert.ok(flows.length > 100)
  const rounds = 12
  const snapshots = Array.from({ length: rounds }, () => compile(resources))
  const ms =
    best(rounds, () => {
      const snapshot = snapshots.pop()
      if (snapshot === undefined) throw new RangeError('one for each round')
      for (const flow of flows) judge(flow, snapshot)
    }) / 1000
  t.diagnostic(`${flows.length} flows in ${ms.toFixed(1)} ms`)
  assert.ok(ms < MATRIX_MS, `${ms} ms`)
})

test('one flow through all layers, warm: under 50 microseconds', (t) => {
  const snapshot = compile(resources)
  const flows: readonly Flow[] = [
    {
      from: { workload: 'shop/sleep' },
      to: { service: 'shop/web-api' },
      port: 8080,
      http: { method: 'GET', path: '/' },
    },
    { from: { workload: 'demo/hello-app' }, to: { host: 'api.github.com', ip: '140.82.121.6' }, port: 443 },
    { from: { workload: 'demo/intruder' }, to: { workload: 'demo/postgres' }, port: 5432 },
  ]
  const perRound = 50
  for (const flow of flows) {
    for (let warm = 0; warm < 5_000; warm++) judge(flow, snapshot)
    const each =
      best(100, () => {
        for (let again = 0; again < perRound; again++) judge(flow, snapshot)
      }) / perRound
    t.diagnostic(`${JSON.stringify(flow.to)}: ${each.toFixed(1)} µs`)
    assert.ok(each < FLOW_US, `${each} µs`)
  }
})
