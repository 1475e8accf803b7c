import { symptoms } from '@bulkhead/verdict'
import { asMessage } from './stage.js'
import type { Observation, Scenario, Target } from './types.js'

/** What a control saw; `failed` says why it does not prove that the service was up. */
export interface Control {
  readonly observation?: Observation
  readonly failed?: string
}

/** Controls that were made, and when they ended. */
export type Controls = Map<string, { readonly control: Promise<Control>; endedAt: number }>

/** One that ended this short a time ago still proves that the service is up. */
const freshMs = 2000

/**
 * Makes a scenario's control: the allowed caller, who must be served. Scenarios that run side by side with the same
 * control share one, as long as it is fresh. Never rejects.
 */
export async function makeControl(
  { from, attempt }: NonNullable<Scenario['control']>,
  target: Target,
  controls: Controls,
  signal?: AbortSignal,
): Promise<Control> {
  const key = JSON.stringify([from, attempt])
  const known = controls.get(key)
  if (known !== undefined && performance.now() - known.endedAt < freshMs) return known.control
  const entry = { control: make(target, from, attempt, signal), endedAt: Number.POSITIVE_INFINITY }
  controls.set(key, entry)
  await entry.control
  entry.endedAt = performance.now()
  return entry.control
}

async function make(
  target: Target,
  from: string,
  attempt: NonNullable<Scenario['control']>['attempt'],
  signal?: AbortSignal,
): Promise<Control> {
  try {
    const { observation } = await target.attempt(from, attempt, signal === undefined ? {} : { signal })
    const failed = failureOf(from, observation)
    return failed === undefined ? { observation } : { observation, failed }
  } catch (error) {
    return { failed: `its control, ${from}, could not be made: ${asMessage(error)}` }
  }
}

function failureOf(from: string, { symptom, http }: Observation): string | undefined {
  if (symptom !== 'ok') return `its control, ${from}, was not served: it saw ${symptoms[symptom].says}`
  if (http !== undefined && http.status >= 400) return `its control, ${from}, was answered ${http.status}`
  return undefined
}
