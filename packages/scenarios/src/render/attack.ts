import type { Report, ScenarioResult } from '../result.js'
import type { Scenario } from '../types.js'
import { layersOn } from '../walls.js'
import { columns, count, type Paint, paint, seconds } from './layout.js'
import { arrivedText, attemptText, layersText, reasonLines, sawText } from './words.js'

/** What `attack` runs: every attack, and the legitimate flows that serve whoever owns their caller. */
export function attacksOf(scenarios: readonly Scenario[]): readonly Scenario[] {
  return scenarios.filter((scenario) => scenario.kind === 'attack' || scenario.remains !== undefined)
}

/** True when every attack was stopped, and by what was expected to stop it. */
export function attackPassed(report: Report): boolean {
  const attacks = report.results.filter(({ scenario, status }) => scenario.kind === 'attack' && status !== 'skipped')
  return attacks.every((result) => blocked(result))
}

/** The attack report for people: grouped by what stopped them; what got through comes last, where it is seen. */
export function renderAttack(report: Report, options: { readonly color?: boolean } = {}): string {
  const style = paint(options.color === true)
  const attacks = report.results.filter(({ scenario }) => scenario.kind === 'attack')
  const parts = [
    [`Attacks on the ${report.target} target. ${capital(layersText(report.layers))}.`],
    ...groups(attacks.filter(blocked)).map((group) => renderGroup(group, style)),
    renderRemaining(report, style),
    renderSkipped(attacks, style),
    renderWrong(attacks, style),
    renderThrough(report, attacks, style),
    [summary(report, attacks, style)],
  ]
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`
}

function blocked({ status, observed }: ScenarioResult): boolean {
  return status === 'as-expected' && observed?.outcome === 'stopped'
}

function through({ status, observed }: ScenarioResult): boolean {
  return (status === 'as-expected' || status === 'different') && observed?.outcome === 'through'
}

/** The words of a stopped attack's wall: the observed reason, or the predicted one where nothing was recorded. */
function wallOf({ observed, predicted, expected }: ScenarioResult): readonly string[] {
  const reason = observed?.reason ?? predicted?.reason ?? expected.reason
  return reason === undefined ? [] : reasonLines(reason)
}

function groups(results: readonly ScenarioResult[]): readonly (readonly ScenarioResult[])[] {
  const byWall = new Map<string, ScenarioResult[]>()
  for (const result of results) {
    const key = JSON.stringify([placeName(result), wallOf(result), result.observed?.symptom])
    byWall.set(key, [...(byWall.get(key) ?? []), result])
  }
  return [...byWall.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

function placeName({ expected }: ScenarioResult): string {
  return expected.reason?.layer ?? ''
}

function renderGroup(group: readonly ScenarioResult[], style: Paint): readonly string[] {
  const [first] = group
  if (first?.observed === undefined) return []
  return [
    `${style.good('BLOCKED')} by ${style.strong(placeName(first))}   the attacker saw ${sawText(first.observed.symptom)}`,
    ...wallOf(first).map((line) => style.faint(`  ${line}`)),
    ...columns(
      group.map(({ scenario }) => [attemptText(scenario), scenario.title]),
      '    ',
    ),
  ]
}

function renderThrough(report: Report, attacks: readonly ScenarioResult[], style: Paint): readonly string[] {
  const open = attacks.filter(through)
  if (open.length === 0) return []
  const on = layersOn(report.layers)
  return [
    `${style.bad('THROUGH')}   the attacker was served`,
    ...open.flatMap((result) => {
      const { scenario, observation } = result
      const arrived = observation === undefined ? '' : `: ${arrivedText(observation)}`
      const walls = scenario.expect.walls.filter(({ layer }) => !on.has(layer)).map(({ layer }) => layer)
      const off =
        walls.length === 0
          ? 'no wall was expected to let it'
          : `${[...new Set(walls)].join(' and ')} ${walls.length === 1 ? 'is' : 'are'} off`
      return [`    ${attemptText(scenario)}${arrived}`, style.faint(`      ${scenario.title}; ${off}`)]
    }),
  ]
}

function renderWrong(attacks: readonly ScenarioResult[], style: Paint): readonly string[] {
  const wrong = attacks.filter((result) => !blocked(result) && !through(result) && result.status !== 'skipped')
  if (wrong.length === 0) return []
  return [
    `${style.bad('NOT AS EXPECTED')}   nothing is proved by these`,
    ...wrong.flatMap(({ scenario, differences, because }) => [
      `    ${scenario.id}   ${attemptText(scenario)}`,
      ...[...differences, ...(because === undefined ? [] : [because])].map((line) => style.faint(`      ${line}`)),
    ]),
  ]
}

function renderSkipped(attacks: readonly ScenarioResult[], style: Paint): readonly string[] {
  return attacks
    .filter(({ status }) => status === 'skipped')
    .map(({ scenario, because }) => style.faint(`skipped ${scenario.id}: ${because ?? ''}`))
}

/** What an attacker who owns a pod may do whatever walls stand, because the pod itself must. */
function renderRemaining({ results }: Report, style: Paint): readonly string[] {
  const remaining = results.filter(
    ({ scenario, observed }) => scenario.remains !== undefined && observed?.outcome === 'through',
  )
  if (remaining.length === 0) return []
  return [
    `${style.strong('STILL OPEN')} to whoever owns the pod, because the pod itself needs it`,
    ...columns(
      remaining.map(({ scenario }) => [attemptText(scenario), scenario.remains ?? '']),
      '    ',
    ),
  ]
}

function summary(report: Report, attacks: readonly ScenarioResult[], style: Paint): string {
  const made = attacks.filter(({ status }) => status !== 'skipped')
  const [stopped, open] = [made.filter(blocked).length, made.filter(through).length]
  const wrong = made.length - stopped - open
  const words = [`${stopped} blocked`, `${open} through`, ...(wrong === 0 ? [] : [`${wrong} not as expected`])]
  const line = `${count(made.length, 'attack')}: ${words.join(', ')} (${seconds(report.durationMs)})`
  return stopped === made.length ? style.good(line) : style.bad(line)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
