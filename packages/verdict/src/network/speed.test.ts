import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadManifests } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import type { Flow } from '../types.js'

/*
 * This project's own manifests. Counted is the processor's time, and the best of some rounds: what else the machine does
 * is none of the engine's.
 */

const manifests = fileURLToPath(new URL('../../../../k8s', import.meta.url))
const { resources } = await loadManifests([manifests])

/** In milliseconds. */
function best(rounds: number, work: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(start)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

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
  const snapshots = Array.from({ length: 8 }, () => compile(resources))
  const spent = best(snapshots.length, () => {
    const snapshot = snapshots.pop()
    if (snapshot === undefined) throw new RangeError('one for each round')
    for (const flow of flows) judge(flow, snapshot)
  })
  t.diagnostic(`${flows.length} flows in ${spent.toFixed(1)} ms`)
  assert.ok(spent < 50, `${spent} ms`)
})

test('one flow through all layers, warm: under 50 microseconds', (t) => {
  const snapshot = compile(resources)
  const flows: readonly Flow[] = [
    { from: { workload: 'shop/sleep' }, to: { service: 'shop/web-api' }, port: 80 },
    { from: { workload: 'demo/hello-app' }, to: { host: 'api.github.com', ip: '140.82.121.6' }, port: 443 },
    { from: { workload: 'demo/intruder' }, to: { workload: 'demo/postgres' }, port: 5432 },
  ]
  for (const flow of flows) {
    const spent = best(20, () => {
      for (let again = 0; again < 200; again++) judge(flow, snapshot)
    })
    const each = (spent * 1000) / 200
    t.diagnostic(`${JSON.stringify(flow.to)}: ${each.toFixed(1)} µs`)
    assert.ok(each < 50, `${each} µs`)
  }
})
