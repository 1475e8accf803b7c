import { printable } from '@bulkhead/resources/printable'
import type { FlowRecord } from '@bulkhead/verdict'
import { valueAt } from './json-path.js'
import type { Reason, View } from './result.js'
import type { Observation, Scenario, Through } from './types.js'
import { alwaysOn, isAdmission } from './walls.js'

/**
 * How a view differs from what is expected, a sentence each; nothing when it is as expected, for the expected reason. `words`: its
 * reason is a cluster's own words, which may name no policy and no layer where there is one.
 */
export function compareViews(
  name: 'predicted' | 'observed',
  expected: View,
  view: View,
  { words = false }: { readonly words?: boolean } = {},
): string[] {
  if (view.outcome !== expected.outcome) {
    const reason = view.reason === undefined ? '' : ` by ${reasonText(view.reason)}`
    return [`expected ${expected.outcome}, ${name} ${view.outcome} (${view.symptom})${reason}`]
  }
  const differences: string[] = []
  if (view.symptom !== expected.symptom) {
    differences.push(`expected the symptom ${expected.symptom}, ${name} ${view.symptom}`)
  }
  if (expected.reason !== undefined && view.reason !== undefined) {
    differences.push(
      ...compareReasons(name, expected.reason, words ? asFarAsSaid(expected.reason, view.reason) : view.reason),
    )
    if (isAdmission(expected)) differences.push(...compareOthers(name, expected.reason, view.reason))
  }
  for (const text of expected.answer ?? []) {
    if (view.message?.includes(text) === true) continue
    const seen = excerpt(view.message ?? '')
    differences.push(`expected the API server's answer to contain ${JSON.stringify(text)}, ${name} ${seen}`)
  }
  return differences
}

/** What words leave out is not against what is expected. */
function asFarAsSaid(expected: Reason, { code, layer = layerOf(expected), policies }: Reason): Reason {
  return {
    code,
    ...(layer === undefined ? {} : { layer }),
    policies: policies.length === 0 ? expected.policies : policies,
  }
}

function compareReasons(name: string, expected: Reason, reason: Reason): readonly string[] {
  const differences: string[] = []
  if (reason.code !== expected.code) differences.push(`expected the reason ${expected.code}, ${name} ${reason.code}`)
  const layer = layerOf(expected)
  const layers = layersOf(reason)
  if (layer === undefined ? layers.length > 0 : !layers.includes(layer)) {
    differences.push(`expected the layer ${layer ?? 'none'} to decide, ${name} ${layers.join(' and ') || 'none'}`)
  }
  const named = reason.policies.map(({ policy }) => policy)
  for (const { policy } of expected.policies) {
    if (!named.includes(policy))
      differences.push(`expected ${policy} to decide, ${name} ${named.join(', ') || 'no policy'}`)
  }
  return differences
}

/** What another policy refuses too shows nothing of the one that is expected to. */
function compareOthers(name: string, expected: Reason, { policies }: Reason): readonly string[] {
  const known = expected.policies.map(({ policy }) => policy)
  if (known.length === 0) return []
  return policies.flatMap(({ policy }) => (known.includes(policy) ? [] : [`${name} ${policy}, which refuses it too`]))
}

/** The folder that is expected to decide: a wall that is always on has none. */
function layerOf({ layer }: Reason): string | undefined {
  return layer === undefined || alwaysOn.has(layer) ? undefined : layer
}

/** The layer that decides; those of all that isolate, when a default deny is of several. */
function layersOf({ layer, policies }: Reason): readonly string[] {
  if (layer !== undefined) return [layer]
  return [...new Set(policies.flatMap((policy) => policy.layer ?? []))].sort()
}

/** Whether what was enforced is what the engine says, to the line. Only where both give a reason. */
export function compareReality(predicted: View, observed: View): readonly string[] {
  if (predicted.reason === undefined || observed.reason === undefined) return []
  const [one, other] = [reasonText(predicted.reason), reasonText(observed.reason)]
  if (one !== other) return [`predicted ${one}, enforced ${other}`]
  const [words, answer] = [predicted.message ?? '', observed.message ?? '']
  return words === answer ? [] : [`predicted the answer ${excerpt(words)}, the API server's is ${excerpt(answer)}`]
}

/** What a target's own records must show besides: that there is one, and for a closed connection why it was closed. */
export function compareRecord(
  scenario: Pick<Scenario, 'change' | 'attempt'>,
  expected: View,
  observation: Observation,
  record: FlowRecord | undefined,
): readonly string[] {
  if (expected.outcome !== 'stopped') return []
  const layer = expected.reason?.layer
  if (record === undefined) {
    return layer === undefined || alwaysOn.has(layer)
      ? []
      : ['the target has no flow record of the attempt, so what stopped it is not known']
  }
  if (scenario.change === undefined) return []
  const differences = compareHeld(scenario, expected, observation)
  if (differences.length > 0 || scenario.attempt.again === true || record.flag === 'POLICY_CHANGE') return differences
  return [`expected the flag POLICY_CHANGE, observed ${record.flag}`]
}

/** A change while a connection is open shows something only of one that was open. */
export function compareHeld(
  { attempt, change }: Pick<Scenario, 'change' | 'attempt'>,
  expected: View,
  { phase }: Observation,
): readonly string[] {
  if (change === undefined || expected.outcome !== 'stopped' || phase === 'held') return []
  const what = attempt.again === true ? 'another answer on an open connection' : 'an open connection to be closed'
  return [`expected ${what}; it was never open (it ended at "${phase}")`]
}

/** Whether what arrived is what must arrive. */
export function compareThrough(through: Through | 'never', observation: Observation): readonly string[] {
  if (through === 'never') return ['it got through a wall that is always on']
  const differences: string[] = []
  const { status, headers = {}, contains, json = {}, absent = [] } = through
  if (status !== undefined && observation.http?.status !== status) {
    differences.push(`expected status ${status}, observed ${observation.http?.status ?? 'no HTTP answer'}`)
  }
  for (const [name, value] of Object.entries(headers)) {
    const seen = observation.http?.headers[name]
    if (seen === value) continue
    const what = seen === undefined ? 'none' : excerpt(JSON.stringify(seen))
    differences.push(`expected the header ${name} to be ${JSON.stringify(value)}, observed ${what}`)
  }
  const text = observation.http?.body ?? textOf(observation)
  if (contains !== undefined && !text.includes(contains)) {
    differences.push(`expected an answer that contains ${JSON.stringify(contains)}, observed ${excerpt(text)}`)
  }
  if (Object.keys(json).length > 0 || absent.length > 0) differences.push(...compareJson(json, absent, text))
  return differences
}

function compareJson(json: NonNullable<Through['json']>, absent: readonly string[], text: string): readonly string[] {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return [`expected JSON, observed ${excerpt(text)}`]
  }
  const differences: string[] = []
  for (const [path, value] of Object.entries(json)) {
    const at = valueAt(body, path)
    if (at.found && at.value === value) continue
    const seen = at.found ? excerpt(JSON.stringify(at.value)) : 'nothing there'
    differences.push(`expected ${path} to be ${JSON.stringify(value)}, observed ${seen}`)
  }
  for (const path of absent) {
    const at = valueAt(body, path)
    if (at.found) differences.push(`expected no ${path}, observed ${excerpt(JSON.stringify(at.value))}`)
  }
  return differences
}

function textOf({ detail }: Observation): string {
  return typeof detail?.text === 'string' ? detail.text : ''
}

function excerpt(text: string): string {
  const line = printable(text.replace(/\s+/g, ' ').trim())
  if (line === '') return 'nothing'
  return line.length > 80 ? `${line.slice(0, 77)}...` : line
}

function reasonText({ code, policies }: Reason): string {
  const where = policies.map(({ policy, at }) => (at === undefined ? policy : `${policy} ${at}`))
  return where.length === 0 ? code : `${code} (${where.join(', ')})`
}
