import { namesOf } from '../names.js'
import { type Group, groupsOf } from './groups.js'
import type { PolicyDiff } from './types.js'

export interface DiffRenderOptions {
  /** How many lines of flows are shown at most; what is left out is counted. Default: all. */
  readonly most?: number
}

/**
 * What a change does, for people. The first line says how much, and is the only one when no flow changes and no object
 * does. Lines are not broken: they are for a terminal of any width.
 */
export function renderDiff(diff: PolicyDiff, { most = Number.POSITIVE_INFINITY }: DiffRenderOptions = {}): string {
  const groups = groupsOf(diff)
  const shown = groups.slice(0, most)
  const hidden = groups.slice(shown.length).reduce((sum, { flows }) => sum + flows, 0)
  const lines = [
    headline(diff),
    ...shown.flatMap(groupLines),
    ...(hidden > 0 ? [`  and ${hidden} more ${hidden === 1 ? 'flow' : 'flows'}`] : []),
  ]
  // What a change of an object that moves no flow is named by is the first line itself.
  if (groups.length > 0) lines.push(...objectLines(diff))
  return `${lines.join('\n')}\n`
}

/** `2 flows opened, 1 closed, 3 decided elsewhere (42 asked)` */
export function headline({ opened, closed, decidedElsewhere, objects, asked }: PolicyDiff): string {
  const moved = decidedElsewhere.length === 0 ? '' : `; ${flows(decidedElsewhere.length)} decided elsewhere`
  if (opened.length + closed.length > 0) {
    return `${flows(opened.length)} opened, ${closed.length} closed${moved} (${asked} asked)`
  }
  const names = [...objects.added, ...objects.changed, ...objects.removed]
  const touched = moved !== '' ? '' : names.length === 0 ? '; no object differs' : `; ${objectsInLine(objects)}`
  return `nothing opened, nothing closed${moved}${touched} (${flows(asked)} asked)`
}

function groupLines({ sign, from, to, now, before, sees }: Group): string[] {
  return [
    // Two spaces: a line that is broken goes on below the names.
    `${sign}  ${from.join(', ')} → ${namesOf(to).join(', ')}`,
    `    now     ${now}`,
    ...(sees === undefined ? [] : [`    seen    ${sees}`]),
    `    before  ${before}`,
  ]
}

function objectLines({ objects }: PolicyDiff): string[] {
  return objectWords(objects).map((line) => `objects ${line}`)
}

function objectsInLine(objects: PolicyDiff['objects']): string {
  return objectWords(objects).join('; ')
}

function objectWords({ added, changed, removed }: PolicyDiff['objects']): string[] {
  const lists = [
    ['added', added],
    ['changed', changed],
    ['removed', removed],
  ] as const
  return lists.filter(([, ids]) => ids.length > 0).map(([what, ids]) => `${what}: ${ids.join(', ')}`)
}

const flows = (count: number): string => (count === 1 ? '1 flow' : `${count} flows`)
