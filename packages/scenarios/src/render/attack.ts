import { outside } from '../flow.js'
import type { Reason, Report, ScenarioResult } from '../result.js'
import type { Scenario } from '../types.js'
import { alwaysOn, isAdmission, layersOn } from '../walls.js'
import { columns, count, type Paint, paint, seconds } from './layout.js'
import {
  answerLines,
  arrivedText,
  attemptText,
  layersText,
  reasonLines,
  sawText,
  shownLines,
  sightingLines,
  wasTried,
} from './words.js'

/** What `attack` runs: every attack, and the legitimate flows that serve whoever owns their caller. */
export function attacksOf(scenarios: readonly Scenario[]): readonly Scenario[] {
  return scenarios.filter((scenario) => scenario.kind === 'attack' || scenario.remains !== undefined)
}

/**
 * True when every attack that was made was stopped, and by what was expected to stop it. One that was skipped says
 * nothing, and where all were skipped nothing is proved.
 */
export function attackPassed(report: Report): boolean {
  const attacks = report.results.filter(({ scenario }) => scenario.kind === 'attack')
  const made = attacks.filter(wasTried)
  return made.every((result) => blocked(result)) && (made.length > 0 || attacks.length === 0)
}

/** The attack report for people: grouped by what stopped them; what got through comes last, where it is seen. */
export function renderAttack(report: Report, options: { readonly color?: boolean } = {}): string {
  const style = paint(options.color === true)
  const attacks = report.results.filter(({ scenario }) => scenario.kind === 'attack')
  const parts = [
    [`Attacks on the ${report.target} target, ${layersText(report.layers)}`],
    ...renderBlocked(attacks.filter(blocked), style),
    renderRemaining(report, style),
    renderBroken(report, style),
    ...renderSkipped(attacks, style),
    renderWrong(attacks, style),
    ...renderThrough(report, attacks, style),
    attacks.length === 1 ? renderStory(attacks, style) : [],
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

/** For one attack alone there is room to say more of it. */
function renderStory(attacks: readonly ScenarioResult[], style: Paint): readonly string[] {
  return attacks.flatMap(({ scenario: { story, technique, notice, lab, file } }) => {
    const ids = [technique?.attack, technique?.microsoft].filter((id) => id !== undefined)
    return [
      story,
      style.faint(`On a cluster you would notice it by: ${notice}`),
      ...(lab === undefined ? [] : [style.faint(`The lab that teaches it: docs/labs/${lab}`)]),
      style.faint(`${ids.length === 0 ? '' : `${ids.join(', ')}; `}${file}`),
    ]
  })
}

/** Why an attack was stopped: as observed, or as predicted where the target recorded nothing. */
function reasonOf({ observed, predicted, expected }: ScenarioResult): Reason | undefined {
  const seen = observed?.reason
  // A cluster's words name no policy of a default deny; the prediction, when it is the same, does.
  if (seen?.policies.length === 0 && predicted?.reason?.code === seen.code) return predicted.reason
  return seen ?? predicted?.reason ?? expected.reason
}

/** A part for each wall and what is seen of it; in it, the attacks by the policies that have a say in them. */
function renderBlocked(results: readonly ScenarioResult[], style: Paint): readonly (readonly string[])[] {
  const walls = groupBy(results, ({ expected, observed }) => [placeName(expected.reason?.layer), observed?.symptom])
  return walls.map((wall) => {
    const [first] = wall
    if (first?.observed === undefined) return []
    const layer = first.expected.reason?.layer ?? ''
    const always = alwaysOn.has(layer) ? ', which is always there' : ''
    const head = [
      `${style.good('BLOCKED')} by ${style.strong(layer)}${always}`,
      style.faint(
        isAdmission(first.observed) ? 'nothing was created' : `the attacker saw ${sawText(first.observed.symptom)}`,
      ),
    ]
    return [
      head.join('   '),
      ...groupBy(wall, (result) => [reasonOf(result), answerLines(result.observed)]).flatMap((group) =>
        renderGroup(group, style),
      ),
    ]
  })
}

function renderGroup(group: readonly ScenarioResult[], style: Paint): readonly string[] {
  const [first] = group
  const reason = first === undefined ? undefined : reasonOf(first)
  return [
    ...[...(reason === undefined ? [] : reasonLines(reason)), ...answerLines(first?.observed)].map((line) =>
      style.faint(`  ${line}`),
    ),
    ...columns(
      group.map(({ scenario, unwitnessed }) => [
        attemptText(scenario),
        unwitnessed === true ? `${scenario.title} (unwitnessed)` : scenario.title,
      ]),
      '      ',
    ),
  ]
}

/** Layers in their order, then what no layer decides. */
function placeName(layer = ''): string {
  return alwaysOn.has(layer) ? `~${layer}` : layer
}

/** Groups in the order of their keys; members in the order in which they came. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => unknown): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = JSON.stringify(keyOf(item))
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

/** A part for each set of walls that would have stopped them. */
function renderThrough(
  report: Report,
  attacks: readonly ScenarioResult[],
  style: Paint,
): readonly (readonly string[])[] {
  const on = layersOn(report.layers)
  const wallsOf = ({ scenario }: ScenarioResult): readonly string[] => [
    ...new Set(scenario.expect.walls.map(({ layer }) => layer)),
  ]
  return groupBy(attacks.filter(through), wallsOf).map((group) => {
    const [first] = group
    const walls = first === undefined ? [] : wallsOf(first)
    const failed = walls.filter((layer) => on.has(layer) || alwaysOn.has(layer))
    const why = failed.length === 0 ? `${list(walls, 'is', 'are')} off` : `although ${list(failed, 'is', 'are')} on`
    return [
      `${style.bad('THROUGH')}   ${why}; the attacker was served`,
      ...columns(
        group.map(({ scenario, observation }) => [
          attemptText(scenario),
          observation === undefined ? '' : arrivedText(observation),
          scenario.title,
        ]),
        '      ',
      ),
    ]
  })
}

function list(names: readonly string[], one: string, many: string): string {
  return `${names.join(' and ')} ${names.length === 1 ? one : many}`
}

function renderWrong(attacks: readonly ScenarioResult[], style: Paint): readonly string[] {
  const wrong = attacks.filter((result) => !blocked(result) && !through(result) && wasTried(result))
  if (wrong.length === 0) return []
  return [
    `${style.bad('NOT AS EXPECTED')}   nothing is proved by these`,
    ...wrong.flatMap((result) => [
      `      ${result.scenario.id}   ${attemptText(result.scenario)}`,
      ...[
        ...result.differences,
        ...(result.because === undefined ? [] : [result.because]),
        ...sightingLines(result),
        ...(result.causes ?? []).map((cause) => `look: ${cause}`),
      ]
        .flatMap(shownLines)
        .map((line) => style.faint(`        ${line}`)),
    ]),
  ]
}

/** A part for each reason why some were not tried. */
function renderSkipped(attacks: readonly ScenarioResult[], style: Paint): readonly (readonly string[])[] {
  const skipped = attacks.filter((result) => !wasTried(result))
  return groupBy(skipped, ({ status, because }) => [status, because]).map((group) => [
    `${style.strong(group[0]?.status === 'not-made' ? 'NOT MADE' : 'SKIPPED')}   ${shownLines(group[0]?.because ?? '').join(' ')}; nothing is known of these`,
    ...columns(
      group.map(({ scenario }) => [attemptText(scenario), scenario.title]),
      '      ',
    ),
  ])
}

/** What an attacker may do whatever walls stand, because whoever is in that place must. */
function renderRemaining({ results }: Report, style: Paint): readonly string[] {
  const remaining = results.filter(
    ({ scenario, observed }) => scenario.remains !== undefined && observed?.outcome === 'through',
  )
  if (remaining.length === 0) return []
  // By who is owned: what is left to whoever has that pod stands together.
  const owners = groupBy(remaining, ({ scenario: { from } }) => [from === outside, from])
  return [
    `${style.strong('STILL OPEN')}   the blast radius that remains: no wall stops these, because what works needs them`,
    ...columns(
      owners.flat().map(({ scenario }) => [attemptText(scenario), scenario.remains ?? '']),
      '      ',
    ),
  ]
}

/** What a wall that is on should leave working, and what did not work: said, or it would look as if it had not been asked. */
function renderBroken({ results }: Report, style: Paint): readonly string[] {
  const broken = results.filter(
    ({ scenario, status }) => scenario.kind === 'legitimate' && (status === 'different' || status === 'not-observed'),
  )
  if (broken.length === 0) return []
  return [
    `${style.bad('DID NOT WORK')}   calls that are meant to work, and no attacks; npx bulkhead verify says more`,
    ...columns(
      broken.map(({ scenario, observed }) => [
        attemptText(scenario),
        observed === undefined ? 'nothing was observed' : `the caller saw ${sawText(observed.symptom)}`,
      ]),
      '      ',
    ),
  ]
}

function summary(report: Report, attacks: readonly ScenarioResult[], style: Paint): string {
  const made = attacks.filter(wasTried)
  const [stopped, open] = [made.filter(blocked).length, made.filter(through).length]
  const wrong = made.length - stopped - open
  const of = (status: ScenarioResult['status']): number => attacks.filter((attack) => attack.status === status).length
  const unwitnessed = attacks.filter((attack) => attack.unwitnessed === true).length
  const words = [
    `${stopped} blocked`,
    `${open} through`,
    ...(wrong === 0 ? [] : [`${wrong} not as expected`]),
    ...(of('skipped') === 0 ? [] : [`${of('skipped')} skipped`]),
    ...(of('not-made') === 0 ? [] : [`${of('not-made')} not made`]),
    ...(unwitnessed === 0 ? [] : [`${unwitnessed} without a witness`]),
  ]
  const line = `${count(attacks.length, 'attack')}: ${words.join(', ')} (${seconds(report.durationMs)})`
  if (stopped < made.length) return style.bad(line)
  return made.length === attacks.length && unwitnessed === 0 ? style.good(line) : line
}
