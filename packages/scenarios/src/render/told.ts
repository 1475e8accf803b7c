import type { ScenarioResult, View } from '../result.js'
import { answerLines, shownLines, sightingLines, wasTried } from './words.js'

/* What is told of one result, in reports that have room for all of it. */

/** `50-identity reset authz.no-rule-allows`, or `through`. */
export function viewText({ outcome, symptom, reason }: View): string {
  if (outcome === 'through') return 'through'
  const layer = reason?.layer === undefined ? '' : `${reason.layer} `
  return `${layer}${symptom} ${reason?.code ?? ''}`.trimEnd()
}

/** The three views, a line each. */
export function viewTexts(result: ScenarioResult): readonly string[] {
  const { expected, predicted, observed } = result
  const of = (view: View | undefined): string => (view === undefined ? 'not known' : viewText(view))
  return [
    `expected:  ${of(wasTried(result) ? expected : undefined)}`,
    `predicted: ${of(predicted)}`,
    `observed:  ${of(observed)}`,
  ]
}

/** Everything that is to be said under it, a line each: what the API server answered, how it differs, why, what to look at. */
export function resultLines(result: ScenarioResult): readonly string[] {
  return [
    ...answerLines(result.observed),
    ...result.differences,
    ...(result.because === undefined ? [] : [result.because]),
    ...sightingLines(result),
    ...(result.causes ?? []).map((cause) => `look: ${cause}`),
    ...(result.notes ?? []),
  ].flatMap(shownLines)
}

/** Whether it makes a run fail. */
export const failed = ({ status }: Pick<ScenarioResult, 'status'>): boolean =>
  status === 'different' || status === 'not-observed'
