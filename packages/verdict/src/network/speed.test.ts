import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadManifests } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import type { Flow } from '../types.js'

/*
 * This project's own manifests. How fast this machine is at the moment is none of the engine's: counted is the processor's
 * time of the best of some rounds, in units of a yardstick that is measured between them. Milliseconds are the benchmark's
 * to say (benchmarks/network.mjs).
 */

const manifests = fileURLToPath(new URL('../../../../k8s', import.meta.url))
const { resources } = await loadManifests([manifests])

/** Plain work of the kind that the engine does, without any of its code: maps, strings, small objects. */
function yardstick(): void {
  const seen = new Map<string, { readonly key: string; readonly parts: readonly string[] }>()
  for (let n = 0; n < 10_000; n++) {
    const key = `ns-${n % 97}/pod-${n % 1009}`
    if (!seen.has(key)) seen.set(key, { key, parts: key.split('/') })
  }
  if (seen.size === 0) throw new RangeError('it was optimised away')
}

/** How many yardsticks the work costs, and milliseconds to be told. */
function best(rounds: number, work: () => void): { readonly yardsticks: number; readonly ms: number } {
  let [least, unit] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < rounds; round++) {
    unit = Math.min(unit, cost(yardstick))
    least = Math.min(least, cost(work))
  }
  return { yardsticks: least / unit, ms: least }
}

function cost(work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
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

test('every flow between the workloads, with reasons, of a new snapshot', (t) => {
  const flows = everyFlow()
  assert.ok(flows.length > 100)
  const snapshots = Array.from({ length: 8 }, () => compile(resources))
  const { yardsticks, ms } = best(snapshots.length, () => {
    const snapshot = snapshots.pop()
    if (snapshot === undefined) throw new RangeError('one for each round')
    for (const flow of flows) judge(flow, snapshot)
  })
  const each = yardsticks / flows.length
  t.diagnostic(`${flows.length} flows in ${ms.toFixed(1)} ms, ${each.toFixed(3)} yardsticks each`)
  assert.ok(each < 0.08, `${each} yardsticks each`)
})

test('one flow through all layers, warm', (t) => {
  const snapshot = compile(resources)
  const flows: readonly Flow[] = [
    { from: { workload: 'shop/sleep' }, to: { service: 'shop/web-api' }, port: 80 },
    { from: { workload: 'demo/hello-app' }, to: { host: 'api.github.com', ip: '140.82.121.6' }, port: 443 },
    { from: { workload: 'demo/intruder' }, to: { workload: 'demo/postgres' }, port: 5432 },
  ]
  for (const flow of flows) {
    const { yardsticks, ms } = best(20, () => {
      for (let again = 0; again < 200; again++) judge(flow, snapshot)
    })
    const each = yardsticks / 200
    t.diagnostic(`${JSON.stringify(flow.to)}: ${(ms * 5).toFixed(1)} µs, ${each.toFixed(3)} yardsticks`)
    assert.ok(each < 0.04, `${each} yardsticks`)
  }
})
