import { columns, count, type Paint, paint, seconds } from '../render/layout.js'
import { drawGrid } from './grid.js'
import { holdsNothing } from './peel.js'
import type { Finding, LayerPeel, Peel } from './types.js'
import { wrapped } from './wrapped.js'

export interface PeelRenderOptions {
  readonly color?: boolean
  /** How long it took, in milliseconds. */
  readonly durationMs?: number
}

/** Up to so many attacks are drawn one by one. */
const mostDrawn = 40

/** Which layer stops what, for people. */
export function renderPeel(peel: Peel, options: PeelRenderOptions = {}): string {
  const style = paint(options.color === true)
  const drawn = peel.attacks.length > 0 && peel.attacks.length <= mostDrawn
  const parts = [
    [title(peel)],
    counts(peel, style),
    ...(drawn ? [drawGrid(peel, style)] : []),
    ...peel.layers.map((layer) => layerPart(layer, style, peel.findings)),
    findingLines(peel.findings, style),
    summary(peel, options, style),
  ]
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`
}

function title({ by, attacks, legitimate, settings }: Peel): string {
  const calls = legitimate.length === 0 ? '' : ` and ${count(legitimate.length, 'legitimate call')}`
  const what = `${count(attacks.length, 'attack')}${calls}`
  const how = by === 'engine' ? 'judged by the engine' : `run on the ${by} target`
  return `Which layer stops what: ${what}, ${how}, ${count(settings.length, 'way')} to have the layers`
}

/** Numbers stand under the end of their head. */
function counts({ layers }: Peel, style: Paint): readonly string[] {
  const head = ['layer', 'decides', 'through', 'not tried', 'stops', 'through', 'not tried']
  const rows = layers.map(({ layer, decides, without, alone }) => [
    layer,
    ...[decides, without.through, without.notTried, alone.stops, alone.through, alone.notTried].map((ids) =>
      String(ids.length),
    ),
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)))
  const right = (row: readonly string[]): readonly string[] =>
    row.map((cell, column) => (column === 0 ? cell : cell.padStart(widths[column] ?? 0)))
  const [heading = '', ...lines] = columns([head, ...rows].map(right))
  // Over the columns that they are about.
  const [first = 0, second = 0, ...rest] = widths
  const without = (rest[0] ?? 0) + (rest[1] ?? 0) + 2
  const groups = `${' '.repeat(first)}  ${'all on'.padStart(second)}  ${'without it'.padStart(without)}  it alone`
  return [style.faint(groups), style.faint(heading), ...lines]
}

function layerPart(
  { layer, without, ownDoor, unmade }: LayerPeel,
  style: Paint,
  findings: readonly Finding[],
): readonly string[] {
  const isIdle = findings.some((one) => one.kind === 'holds-nothing' && one.layer === layer)
  const only = without.through.length + ownDoor.length
  const says = only === 0 ? 'no attack that only it stops' : `${count(only, 'attack')} that only it stops`
  const lines = [
    ...list('get through without it, past all the others', without.through),
    ...list('have no other wall, and without it there is nothing to try', ownDoor),
    ...list('would show what it is for, and cannot be made here', unmade),
    ...list('legitimate, and not there without it', without.shut),
  ]
  // Of a part of the suite it says nothing.
  if (only === 0 && lines.length === 0 && !isIdle) return []
  return [`${style.strong(layer)}: ${isIdle ? style.bad(says) : says}`, ...lines]
}

function list(what: string, ids: readonly string[]): readonly string[] {
  return ids.length === 0 ? [] : [`  ${what}:`, ...wrapped(ids, ', ', '    ')]
}

function findingLines(findings: readonly Finding[], style: Paint): readonly string[] {
  if (findings.length === 0) return []
  return [style.bad('Found'), ...findings.flatMap(findingText).map((line) => `  ${line}`)]
}

function findingText(finding: Finding): readonly string[] {
  switch (finding.kind) {
    case 'through':
      return [`${finding.scenario} gets through with all layers on`]
    case 'holds-nothing':
      return [`${finding.layer} holds nothing by itself: no attack gets through without it that is stopped with it`]
    case 'unknown':
      return [`${finding.scenario} ${finding.setting} is not known: ${finding.because}`]
    case 'different':
      return [
        `${finding.scenario} ${finding.setting} is not as expected`,
        ...finding.differences.map((difference) => `  ${difference}`),
      ]
  }
}

function summary(peel: Peel, { durationMs }: PeelRenderOptions, style: Paint): readonly string[] {
  const { attacks, alwaysStopped, notTried, findings, layers } = peel
  const through = findings.filter(({ kind }) => kind === 'through').length
  const all = [
    `${attacks.length - through - notTried.length} stopped with all layers on`,
    ...(alwaysStopped.length === 0 ? [] : [`${alwaysStopped.length} of them by what no layer switches off`]),
    ...(notTried.length === 0 ? [] : [`${notTried.length} not tried`]),
  ]
  const idle = layers.filter(holdsNothing).length
  const held = `${layers.length - idle} of ${count(layers.length, 'layer')} stop what no other does`
  const took = durationMs === undefined ? '' : ` (${seconds(durationMs)})`
  const found = findings.length === 0 ? 'nothing found' : `${findings.length} found`
  const lines = [`${count(attacks.length, 'attack')}: ${all.join(', ')}`, `${held}; ${found}${took}`]
  const untried = notTried.length === 0 ? [] : ['Not tried:', ...wrapped(notTried, ', ', '  '), '']
  return [...untried, ...lines.map((line) => (findings.length === 0 ? style.good(line) : style.bad(line)))]
}
