import type { Verdict } from '@bulkhead/verdict'
import { compareHeld, compareReality, compareRecord, compareThrough, compareViews } from './compare.js'
import { outside } from './flow.js'
import { letIn, observedView, predictedView, recordOf, type ScenarioResult, type View } from './result.js'
import type { Evidence, Scenario, Target } from './types.js'
import { alwaysOn } from './walls.js'
import { witnessed } from './witness.js'

/** What the engine says of an attempt, where it can be asked: of a flow its verdict, else a view. */
export type Prediction = { readonly verdict: Verdict } | { readonly view: View }

/** What came of an attempt, or of what it needs when that was refused; and what was predicted. */
export type Seen = { readonly predicted?: Prediction } & ({ readonly evidence: Evidence } | { readonly refused: View })

export type Judged = Pick<
  ScenarioResult,
  'predicted' | 'observed' | 'observation' | 'differences' | 'sightings' | 'unwitnessed' | 'unread' | 'notes'
>

/** Nothing but admission keeps a program from running. */
export const runsThere: Prediction = { view: letIn }

const viewOf = (prediction: Prediction): View =>
  'verdict' in prediction ? predictedView(prediction.verdict) : prediction.view

/** Holds what was expected, predicted and seen against each other. */
export function judge(scenario: Scenario, name: Target['name'], expectation: View, seen: Seen): Judged {
  if ('evidence' in seen) {
    const { evidence, predicted } = seen
    return name === 'local'
      ? judgeRecords(scenario, expectation, evidence, predicted)
      : judgeSightings(scenario, expectation, evidence, predicted)
  }
  const { refused: observed, predicted } = seen
  const differences = compareViews('observed', expectation, observed)
  return withPrediction(expectation, predicted, { observed, differences }, compareReality)
}

/** The local target records every layer's word on each connection, to the line. */
function judgeRecords(
  scenario: Scenario,
  expectation: View,
  { observation, flows }: Evidence,
  predicted: Prediction | undefined,
): Judged {
  const record = recordOf(flows)
  const observed = observedView(observation, record, scenario.from)
  const differences = [
    ...compareViews('observed', expectation, observed),
    ...compareRecord(scenario, expectation, observation, record),
    ...throughDifferences(scenario, expectation, observed, observation),
  ]
  return withPrediction(expectation, predicted, { observed, observation, differences }, compareReality)
}

/** A cluster's points say as much as their logs have words for. */
function judgeSightings(
  scenario: Scenario,
  expectation: View,
  { observation, sightings = [], unread = [], notes }: Evidence,
  predicted: Prediction | undefined,
): Judged {
  const plain = asAtNode(observedView(observation, undefined), scenario, sightings)
  const verdict = predicted !== undefined && 'verdict' in predicted ? predicted.verdict : undefined
  const stopped = plain.outcome === 'stopped'
  const { seen, reason, differences: contradictions, agrees } = witnessed(stopped ? sightings : [], verdict)
  const observed: View = reason === undefined ? plain : { ...plain, reason }
  const layer = expectation.reason?.layer
  const needsWitness = layer !== undefined && !alwaysOn.has(layer)
  const differences = [
    // What agrees with the prediction is held against the expectation by that: a proxy names one of its policies that refuse.
    ...compareViews('observed', expectation, agrees === true ? plain : observed, { words: true }),
    ...compareHeld(scenario, expectation, observation),
    ...throughDifferences(scenario, expectation, observed, observation),
  ]
  return withPrediction(
    expectation,
    predicted,
    {
      observed,
      observation,
      differences,
      ...(sightings.length > 0 && { sightings }),
      ...(stopped && unread.length > 0 && { unread }),
      ...(notes !== undefined && notes.length > 0 && { notes }),
      ...(stopped && expectation.outcome === 'stopped' && needsWitness && !seen && { unwitnessed: true as const }),
    },
    () => contradictions,
  )
}

/**
 * A caller from outside is taken at this machine's port, and the node dials on: of a packet that is dropped there it sees a
 * connection that stays silent, or is closed when the node gives up.
 */
function asAtNode(view: View, { from }: Pick<Scenario, 'from'>, sightings: NonNullable<Evidence['sightings']>): View {
  const silent = view.symptom === 'no-answer' || view.symptom === 'late-reset'
  const dropped = sightings.some(({ by, outcome }) => by === 'hubble' && outcome === 'deny')
  return from === outside && silent && dropped ? { ...view, symptom: 'timeout' } : view
}

function throughDifferences(
  { expect }: Scenario,
  expectation: View,
  observed: View,
  observation: Evidence['observation'],
): readonly string[] {
  const through = observed.outcome === 'through' && expectation.outcome === 'through'
  return through ? compareThrough(expect.through, observation) : []
}

function withPrediction(
  expectation: View,
  prediction: Prediction | undefined,
  seen: Judged & { readonly observed: View },
  compare: (predicted: View, observed: View) => readonly string[],
): Judged {
  if (prediction === undefined) return seen
  const predicted = viewOf(prediction)
  const differences = [...compareViews('predicted', expectation, predicted), ...seen.differences]
  // What differs from the expectation has been said; this is for a view that agrees, from another line.
  if (differences.length === 0) differences.push(...compare(predicted, seen.observed))
  return { predicted, ...seen, differences }
}
