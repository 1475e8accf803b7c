import assert from 'node:assert/strict'
import type { Verdict } from '@bulkhead/verdict'
import type { ScenarioResult } from '../result.js'
import { runScenarios } from '../runner.js'
import type { Admitted, Change, Evidence, LayerState, Scenario, Target } from '../types.js'
import { allowed, denied, refusedError, stopped, through } from './samples.js'

export interface FakeOptions {
  readonly name?: Target['name']
  readonly on?: readonly string[]
  readonly predict?: Target['predict']
  /** What admission says; unless `apply` is told, a change of which it refuses something is not applied. The default is that it lets everything in. */
  readonly admit?: Target['admit']
  /** Otherwise there are two, with one object each. */
  readonly layers?: readonly string[]
  /** What attempts come to, by the caller; the default is that sleep is served and others are stopped. */
  readonly attempt?: Target['attempt']
  readonly apply?: (name: string, change: Change) => Promise<void>
  readonly withdraw?: (name: string) => Promise<void>
}

export interface FakeTarget extends Target {
  /** What was asked of it, in order: `attempt shop/sleep`, `apply x`, `withdraw x`, `predict shop/sleep`. */
  readonly calls: readonly string[]
  /** Names of the changes that stand. */
  readonly standing: ReadonlySet<string>
}

/** A target that does as it is told and notes what it was asked. */
export function fakeTarget(options: FakeOptions = {}): FakeTarget {
  const { name = 'local', on = ['40-mtls', '50-identity'] } = options
  const calls: string[] = []
  const standing = new Set<string>()
  const layers: readonly LayerState[] = (options.layers ?? ['40-mtls', '50-identity']).map((layer) => ({
    name: layer,
    on: on.includes(layer),
    objects: 1,
  }))
  const guarded = on.includes('50-identity')
  const isAllowed = (from: string): boolean => from === 'shop/sleep' || !guarded
  return {
    name,
    calls,
    standing,
    layers: async () => layers,
    async predict(flow): Promise<Verdict> {
      const from = 'workload' in flow.from ? flow.from.workload : 'external' in flow.from ? 'outside' : '?'
      calls.push(`predict ${from}`)
      if (options.predict !== undefined) return options.predict(flow)
      return isAllowed(from) ? allowed : denied
    },
    async attempt(from, attempt, how): Promise<Evidence> {
      calls.push(`attempt ${from}`)
      how?.signal?.throwIfAborted()
      if (options.attempt !== undefined) return options.attempt(from, attempt, how)
      return isAllowed(from) ? through() : stopped
    },
    admit: options.admit ?? (async () => []),
    async apply(change, what) {
      calls.push(`apply ${change}`)
      const admissions = options.apply === undefined ? await options.admit?.(what) : undefined
      if (admissions?.some(isRefused)) throw refusedError(admissions)
      await options.apply?.(change, what)
      standing.add(change)
    },
    async withdraw(change) {
      calls.push(`withdraw ${change}`)
      await options.withdraw?.(change)
      if (!standing.delete(change)) throw new Error(`no change ${change} stands`)
    },
  }
}

const isRefused = ({ outcome, pod }: Admitted): boolean => outcome !== 'allow' || (pod !== undefined && isRefused(pod))

/** What comes of one scenario on such a target. */
export async function runOne(scenario: Scenario, options: FakeOptions = {}): Promise<ScenarioResult> {
  const { results } = await runScenarios(fakeTarget(options), [scenario], { root: '/nowhere' })
  const [result] = results
  assert.ok(result)
  return result
}
