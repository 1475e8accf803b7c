import type { FlowRecord, Step, Symptom, Verdict } from '@bulkhead/verdict'
import { outside } from './flow.js'
import type { LayerState, Observation, Scenario, Sighting, Target, Witness } from './types.js'
import type { Expected } from './walls.js'

/** Why something was stopped, in the words that expectation, prediction and observation share. */
export interface Reason {
  readonly code: string
  /** The folder under k8s/layers; absent for what no layer decides. */
  readonly layer?: string
  /** The object that decided, or, for a default deny, every one that isolates; those may be of several layers. */
  readonly policies: readonly { readonly policy: string; readonly at?: string; readonly layer?: string }[]
}

/** One of the three views of an attempt. */
export interface View {
  readonly outcome: 'stopped' | 'through' | 'unknown'
  readonly symptom: Symptom
  /** Absent when it got through, and when the target has no record of it. */
  readonly reason?: Reason
  /** What the API server answers where admission refuses, word for word. */
  readonly message?: string
  /** Of an expectation: what has to be in that answer. */
  readonly answer?: readonly string[]
}

/**
 * `as-expected`: all views agree, and the control was served. `different`: they do not; `differences` says how.
 * `not-observed`: it could not be made, or its control was not served, so nothing is known. `skipped`: not for this target,
 * or about a layer that is off; nothing was tried, so it proves nothing either way. `not-made`: this target has no way to make
 * such an attempt; likewise.
 */
export type Status = 'as-expected' | 'different' | 'not-observed' | 'skipped' | 'not-made'

export interface ScenarioResult {
  readonly scenario: Scenario
  readonly status: Status
  readonly expected: View
  readonly predicted?: View
  readonly observed?: View
  readonly observation?: Observation
  /** What the control saw. */
  readonly control?: Observation
  /** A sentence each. */
  readonly differences: readonly string[]
  /** On a cluster: what to look at, most likely first, a sentence each. Only where there are differences. */
  readonly causes?: readonly string[]
  /** On a cluster: what its enforcing points said of it, in order of time. */
  readonly sightings?: readonly Sighting[]
  /** On a cluster: it was stopped as expected, as far as its client could see, and no enforcing point says that it was by it. */
  readonly unwitnessed?: true
  /** On a cluster: it was stopped, and these could not be asked by what. */
  readonly unread?: readonly Witness[]
  /** That it was tried again, and why; which log could not be read: a sentence each. */
  readonly notes?: readonly string[]
  /** Why it was not observed, skipped or not made. */
  readonly because?: string
  readonly durationMs: number
}

export interface Report {
  readonly target: Target['name']
  readonly layers: readonly LayerState[]
  readonly results: readonly ScenarioResult[]
  readonly durationMs: number
}

/** When a run was made, and of what: given to what renders it, since no result has it. */
export interface Made {
  /** When it was started, RFC 3339. */
  readonly startedAt: string
  /** What was tried, where that is a clone: its commit, and whether there is something in it that is in no commit. */
  readonly revision?: { readonly commit: string; readonly changes: boolean }
}

/** The commit, `with changes` where there are some. */
export const revisionText = ({ commit, changes }: NonNullable<Made['revision']>): string =>
  changes ? `${commit} with changes` : commit

/** Of an object that admission lets in, and of a program that runs in a pod that is there. */
export const letIn: View = { outcome: 'through', symptom: 'ok' }

export function expectedView(expected: Expected): View {
  if (expected.outcome === 'through') return { outcome: 'through', symptom: expected.symptom }
  const { layer, symptom, code } = expected.wall
  const walls = [expected.wall, ...expected.beside]
  const answer = walls.flatMap(({ message }) => message ?? [])
  const policies = walls.flatMap(({ policy }) => (policy === undefined ? [] : [{ policy }]))
  return {
    outcome: 'stopped',
    symptom,
    reason: { code, layer, policies },
    ...(answer.length === 0 ? {} : { answer }),
  }
}

export function predictedView(verdict: Verdict): View {
  if (verdict.outcome === 'unknown') {
    const step = verdict.steps.find((candidate) => candidate.outcome === 'unknown')
    return { outcome: 'unknown', symptom: verdict.symptom, ...(step === undefined ? {} : { reason: reasonOf(step) }) }
  }
  if (verdict.outcome === 'allow') return { outcome: 'through', symptom: verdict.symptom }
  const step = verdict.decidedBy === undefined ? undefined : verdict.steps[verdict.decidedBy.step]
  return { outcome: 'stopped', symptom: verdict.symptom, ...(step === undefined ? {} : { reason: reasonOf(step) }) }
}

/**
 * `from`: the scenario's. A caller from outside has a connection before any wall is asked, where the local target's machine
 * takes it at a published port; so there a packet that was dropped, as the record tells, is seen as silence.
 */
export function observedView(observation: Observation, record: FlowRecord | undefined, from?: string): View {
  const stopped = observation.symptom !== 'ok' && observation.symptom !== 'redirected'
  const step = record?.decidedBy === undefined ? undefined : record.steps[record.decidedBy]
  const dropped = from === outside && observation.symptom === 'no-answer' && record?.symptom === 'timeout'
  return {
    outcome: stopped ? 'stopped' : 'through',
    symptom: dropped ? 'timeout' : observation.symptom,
    ...(stopped && step !== undefined ? { reason: reasonOf(step) } : {}),
  }
}

/**
 * The record of the attempt itself: the one that was refused, else the last. A gateway's record of a request has the
 * steps of both its hops, so it goes before those of the connections that carried it. Asking for a name is a connection
 * of its own, which decides only when it is what failed.
 */
export function recordOf(flows: readonly FlowRecord[]): FlowRecord | undefined {
  const requests = flows.filter(({ transport }) => transport === 'http')
  const own = requests.length > 0 ? requests : flows.filter(({ transport }) => transport !== 'dns')
  const stopped = ({ outcome }: FlowRecord): boolean => outcome !== 'allow'
  // A name that was refused leads to no connection; where there is one, another name was answered.
  return own.find(stopped) ?? (own.length > 0 ? own.at(-1) : flows.find(stopped))
}

/** Why a step denies, in the words that all views share. */
export function reasonOf(step: Step): Reason {
  const own =
    step.policy === undefined ? [] : [{ policy: step.policy, ...(step.at === undefined ? {} : { at: step.at }) }]
  const isolating = (step.isolatedBy ?? []).map(({ policy, at, layer }) => ({
    policy,
    at,
    ...(layer === undefined ? {} : { layer }),
  }))
  return {
    code: step.code,
    ...(step.layer === undefined ? {} : { layer: step.layer }),
    policies: own.length > 0 ? own : isolating,
  }
}
