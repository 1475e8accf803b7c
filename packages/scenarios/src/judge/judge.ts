import type { Resource } from '@bulkhead/resources'
import { judge } from '@bulkhead/verdict'
import { compareViews } from '../compare.js'
import { flowOf } from '../flow.js'
import { expectedView, letIn, predictedView, type View } from '../result.js'
import type { Scenario } from '../types.js'
import { expected } from '../walls.js'
import { admissionsOf } from './admissions.js'
import type { Brought } from './brought.js'
import { snapshotsOf } from './snapshots.js'

/** Undefined for what nobody can be asked about: a pod's private socket is no part of the network. */
export type JudgeScenario = (
  scenario: Pick<Scenario, 'from' | 'attempt' | 'given' | 'change'>,
  on: readonly string[],
) => View | undefined

/**
 * The engine on scenarios, without any target: with these layers on, what becomes of what one brings along, and where that is let
 * in, of its attempt. A held attempt is judged as it stands once its change is in force.
 *
 * The function throws what the engine throws: for an attempt that names nothing that is there.
 */
export function judgeWith(base: readonly Resource[], brought: Brought): JudgeScenario {
  const { refusal } = admissionsOf(base, brought)
  const snapshotFor = snapshotsOf(base, brought)
  return (scenario, on) => {
    const refused = refusal(scenario, on)
    if (refused !== undefined) return refused
    const flow = flowOf(scenario.from, scenario.attempt)
    if (flow !== undefined) return predictedView(judge(flow, snapshotFor(scenario, on)))
    // Nothing but admission keeps a program from running.
    return scenario.attempt.kind === 'run' ? letIn : undefined
  }
}

/** How a view that was judged with these layers on is not as the scenario expects, a sentence each. */
export function unexpected(scenario: Pick<Scenario, 'expect'>, on: readonly string[], view: View): readonly string[] {
  return compareViews('predicted', expectedView(expected(scenario, new Set(on))), view)
}
