import type { Attempt, Observation } from '@bulkhead/scenarios'
import type { FlowRecord, Verdict } from '@bulkhead/verdict'
import { judgedFlow } from './call.js'
import type { Entry } from './journal.js'
import type { LabTarget } from './target.js'
import type { Call, Lab, LabStep, Refusal, StepCheck } from './types.js'

/** Why a step is not done. */
export type Missing =
  | { readonly kind: 'not-in-force'; readonly id: string }
  | { readonly kind: 'never-tried'; readonly call: Call }
  | { readonly kind: 'never-refused'; readonly refusal: Refusal }
  /** The engine judges the call otherwise. */
  | { readonly kind: 'judged'; readonly call: Call; readonly verdict: Verdict }
  /** What really came of it is something else. */
  | { readonly kind: 'seen'; readonly call: Call; readonly observation: Observation }

export interface StepProgress {
  readonly step: LabStep
  /** `passed`: what it closes or opens is done, and a later step has changed it again; some of it was not tried. */
  readonly status: 'done' | 'passed' | 'not-yet'
  readonly missing: readonly Missing[]
}

/**
 * How far somebody is. Steps build on each other: a step's objects have to be in force, and those of all before it. The
 * calls of the state that is reached are judged by the target's engine and really made; those of a state that is over
 * are not, since a later step was meant to change them.
 */
export async function checkLab(
  target: LabTarget,
  lab: Lab,
  { started }: Pick<Entry, 'started'>,
  signal?: AbortSignal,
): Promise<readonly StepProgress[]> {
  const steps = lab.steps.flatMap((step) => (step.check === undefined ? [] : [{ step, check: step.check }]))
  const inForce = await target.inForce()
  const flows = (await target.flows()).filter((record) => record.start >= started && !ofAnAttempt(record))
  const refused = (await target.refused()).filter(({ time }) => time >= started)
  const reached = statesOf(steps.map(({ check }) => check))
  const here = lastReached(
    steps.map(({ check }) => check),
    reached,
    inForce,
  )
  const progress: StepProgress[] = []
  for (const [index, { step, check }] of steps.entries()) {
    const state = reached[index] ?? 0
    const absent = check.inForce.filter((id) => !inForce.has(id))
    const untried = check.tried.filter((call) => !flows.some((record) => isOf(record, call)))
    const missing: Missing[] = absent.map((id) => ({ kind: 'not-in-force', id }))
    const unseen = check.refused.filter(
      ({ id, policy }) => !refused.some((one) => one.id === id && one.policies.includes(policy)),
    )
    if (state <= here) {
      missing.push(...unseen.map((refusal): Missing => ({ kind: 'never-refused', refusal })))
      missing.push(...untried.map((call): Missing => ({ kind: 'never-tried', call })))
    }
    if (state === here) for (const call of check.now) missing.push(...(await wrongOf(target, call, signal)))
    const passed = state < here && missing.every(({ kind }) => kind.startsWith('never-'))
    const done = state <= here && missing.length === 0
    progress.push({ step, status: done ? 'done' : passed ? 'passed' : 'not-yet', missing })
  }
  return progress
}

/** The state that each step belongs to: one more with each step that puts objects in force. */
function statesOf(checks: readonly StepCheck[]): readonly number[] {
  let state = 0
  return checks.map(({ inForce }) => (inForce.length > 0 ? ++state : state))
}

function lastReached(checks: readonly StepCheck[], states: readonly number[], inForce: ReadonlySet<string>): number {
  const first = checks.findIndex((check) => check.inForce.some((id) => !inForce.has(id)))
  return first === -1 ? (states.at(-1) ?? 0) : (states[first] ?? 1) - 1
}

/** Made by a check or by an attack, and not by whoever follows the lab. */
const ofAnAttempt = ({ run }: FlowRecord): boolean => run?.startsWith('attempt') ?? false

function isOf(record: FlowRecord, call: Call): boolean {
  const { source, symptom, http } = record
  const from = source.workload ?? 'outside'
  const decided = record.decidedBy === undefined ? undefined : record.steps[record.decidedBy]
  return (
    from === call.from &&
    leadsTo(record, call.attempt) &&
    (call.asks === undefined || http === undefined || isRequest(http, call.attempt.http)) &&
    // A packet that was dropped had no name in it yet.
    (record.sni === undefined || call.attempt.tls?.sni === undefined || record.sni === call.attempt.tls.sni) &&
    symptom === call.sees &&
    (call.code === undefined || decided?.code === call.code) &&
    (call.status === undefined || http === undefined || http.status === call.status)
  )
}

const isRequest = ({ method, path }: NonNullable<FlowRecord['http']>, wanted: Attempt['http']): boolean =>
  method === wanted?.method && path === wanted.path

function leadsTo({ destination, transport }: FlowRecord, { kind, to, port, dns }: Attempt): boolean {
  if (kind === 'dns') return transport === 'dns' && destination.host === dns?.query
  // A name that cannot be looked up is as far as a call to it came.
  if ('host' in to) return destination.host === to.host && (transport === 'dns' || destination.port === port)
  if ('ip' in to) return destination.ip === to.ip && destination.port === port
  if ('workload' in to)
    return destination.service === undefined && destination.workload === to.workload && destination.port === port
  return 'service' in to && (destination.service ?? destination.workload) === to.service && destination.port === port
}

async function wrongOf(target: LabTarget, call: Call, signal?: AbortSignal): Promise<readonly Missing[]> {
  const verdict = await target.predict(judgedFlow(call))
  const decided = verdict.decidedBy === undefined ? undefined : verdict.steps[verdict.decidedBy.step]
  if (verdict.symptom !== call.sees || (call.code !== undefined && decided?.code !== call.code))
    return [{ kind: 'judged', call, verdict }]
  const { observation } = await target.attempt(call.from, call.attempt, signal === undefined ? {} : { signal })
  const { symptom, http } = observation
  if (symptom !== call.sees || (call.status !== undefined && http?.status !== call.status))
    return [{ kind: 'seen', call, observation }]
  return []
}
