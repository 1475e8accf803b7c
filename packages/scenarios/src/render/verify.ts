import type { Report, ScenarioResult, View } from '../result.js'
import { silentWitnesses } from '../silent.js'
import { columns, count, type Paint, paint, seconds } from './layout.js'
import { resultLines, viewText } from './told.js'
import { layersText, wasTried } from './words.js'

/**
 * True when expectation, prediction and observation agree everywhere. A scenario that could not be observed is a
 * failure; one that was skipped, or that this target cannot make, is none, but where nothing was tried nothing agrees. Nor does it where a
 * whole kind of witness was silent; a single stop that nobody says is told, and no failure.
 */
export function verifyPassed(report: Report): boolean {
  const { results } = report
  const agree = results.every(({ status }) => ['as-expected', 'skipped', 'not-made'].includes(status))
  if (silentWitnesses(report).length > 0) return false
  return agree && (results.length === 0 || results.some(({ status }) => status === 'as-expected'))
}

/** Expected, predicted and observed side by side, a line for each scenario, and under it every difference. */
export function renderVerify(report: Report, options: { readonly color?: boolean } = {}): string {
  const style = paint(options.color === true)
  const head = ['', 'scenario', 'expected', 'predicted', 'observed']
  const rows = report.results.map((result) => [
    marks[result.status],
    result.scenario.id,
    wasTried(result) ? viewText(result.expected) : '-',
    sameOr(result.expected, result.predicted),
    sameOr(result.expected, result.observed),
  ])
  const [title = '', ...lines] = columns([head, ...rows])
  const body = report.results.flatMap((result, index) => {
    const line = lines[index] ?? ''
    return [tint(result, line, style), ...resultLines(result).map((note) => style.faint(`        ${note}`))]
  })
  return `${[
    `Expected, predicted and observed on the ${report.target} target; ${layersText(report.layers)}`,
    '',
    style.faint(title),
    ...body,
    '',
    ...silentLines(report, style),
    summary(report, style),
  ].join('\n')}\n`
}

const marks: Readonly<Record<ScenarioResult['status'], string>> = {
  'as-expected': 'ok',
  different: 'DIFFERS',
  'not-observed': 'UNSEEN',
  skipped: 'skipped',
  'not-made': 'NOT MADE',
}

/** The kinds of witness that said nothing all along, and what to look at. */
function silentLines(report: Report, style: Paint): readonly string[] {
  const lines = silentWitnesses(report).flatMap(({ says, look }) => [
    style.bad(`NO WITNESS  ${says}`),
    style.faint(`        look: ${look}`),
  ])
  return lines.length === 0 ? [] : [...lines, '']
}

/** Only what differs is worth reading. */
function sameOr(expected: View, view: View | undefined): string {
  if (view === undefined) return '-'
  const same = view.outcome === expected.outcome && view.symptom === expected.symptom
  if (!same) return viewText(view)
  return view.reason === undefined || view.reason.code === expected.reason?.code ? '=' : viewText(view)
}

function tint({ status }: ScenarioResult, line: string, style: Paint): string {
  if (status === 'as-expected') return line
  return status === 'skipped' || status === 'not-made' ? style.faint(line) : style.bad(line)
}

function summary(report: Report, style: Paint): string {
  const of = (status: ScenarioResult['status']): number =>
    report.results.filter((result) => result.status === status).length
  const unwitnessed = report.results.filter((result) => result.unwitnessed === true).length
  const parts = [
    `${of('as-expected')} agree`,
    ...(of('different') === 0 ? [] : [`${of('different')} differ`]),
    ...(of('not-observed') === 0 ? [] : [`${of('not-observed')} not observed`]),
    ...(of('skipped') === 0 ? [] : [`${of('skipped')} skipped`]),
    ...(of('not-made') === 0 ? [] : [`${of('not-made')} not made`]),
    ...(unwitnessed === 0 ? [] : [`${unwitnessed} stopped without a witness`]),
  ]
  const line = `${count(report.results.length, 'scenario')}: ${parts.join(', ')} (${seconds(report.durationMs)})`
  if (!verifyPassed(report)) return style.bad(line)
  return of('skipped') + of('not-made') + unwitnessed === 0 ? style.good(line) : line
}
