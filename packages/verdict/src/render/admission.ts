import type { KubernetesObject } from '@bulkhead/resources'
import { stringify } from 'yaml'
import { changesBetween } from '../admission/changes.js'
import { kubectlAnswer } from '../admission/kubectl.js'
import { othersRefusing } from '../admission/others.js'
import type { Admission, AdmissionStep, Operation } from '../admission/types.js'
import { admissionSentence } from '../messages/admission.js'
import { cut } from '../messages/fact.js'

/** What is known of a request beside what became of it. */
export interface Asked {
  readonly operation: Operation
  /** As the object was written, before a policy changed it. */
  readonly object: unknown
  /** As kubectl would name the file: what was given with -f. */
  readonly file: string
}

/**
 * An admission for people. The first line says what became of the object; then each policy that had a word in it, in the
 * chain's order, with its line and the field's; then what kubectl would print, the object where it was changed, and what
 * was made of it. Of a workload the same of its pods.
 */
export function renderAdmission(admission: Admission, asked: Asked): string {
  const { object, pod, generated, warnings, refusal, outcome } = admission
  const lines = [headline(admission, asked.operation), ...stepLines(admission)]
  for (const warning of warnings) lines.push(`  Warning: ${warning}`)
  if (refusal !== undefined)
    lines.push('  kubectl would answer:', ...indented(kubectlAnswer(refusal, asked.file, asked.operation), 4))
  const isChanged = outcome !== 'deny' && admission.steps.some(({ code }) => code === 'admission.mutated')
  const changes = isChanged ? changesBetween(asked.object, object.object) : []
  if (changes.length > 0) {
    lines.push('  stored with these changes:')
    for (const { path, before, after } of changes) {
      const [was, is] = [before, after].map((value) => (value === undefined ? '' : cut(JSON.stringify(value) ?? '')))
      lines.push(
        `    ${before === undefined ? '+' : after === undefined ? '-' : '~'} ${path}: ${[was, is].filter((text) => text !== '').join(' -> ')}`,
      )
    }
    lines.push('  that is:', ...indented(yamlOf(object.object), 4))
  }
  for (const made of generated) {
    const { file, line } = made.position([])
    lines.push(`  makes ${made.id}  ${file}:${line}`, ...indented(yamlOf(made.object), 4))
  }
  if (pod !== undefined) lines.push(...podLines(pod))
  return `${lines.join('\n')}\n`
}

function headline(admission: Admission, operation: Operation): string {
  const does = operation === 'CREATE' ? '' : ` (${operation})`
  const { pod } = admission
  const pods = pod === undefined || pod.outcome === 'allow' ? '' : `, and its pods ${outcomeText(pod)}`
  return `${admission.object.id}${does}   ${outcomeText(admission)}${pods}`
}

function outcomeText(admission: Admission): string {
  const step = admission.decidedBy === undefined ? undefined : admission.steps[admission.decidedBy]
  if (step === undefined || admission.outcome === 'allow') return 'ADMITTED'
  if (admission.outcome === 'unknown')
    return `UNKNOWN: ${step.facts?.what ?? step.policy ?? 'a policy'} is not modelled`
  const others = othersRefusing(admission)
  const who = `${whose(step)}${others === 0 ? '' : ` and ${others} more`}`
  return `REFUSED by ${step.layer === undefined ? who : `${step.layer} (${who})`}`
}

/** `Pod Security of Namespace/shop`, `ValidatingPolicy/disallow-root-user` */
const whose = ({ engine, policy = 'a policy' }: AdmissionStep): string =>
  engine === 'psa' ? `Pod Security of ${policy}` : policy

/** What a policy does, in the first column; what is not here is only named. */
const words: Readonly<Record<string, string>> = {
  'admission.allowed': 'allows',
  'admission.denied': 'REFUSES',
  'admission.failed': 'REFUSES',
  'admission.warned': 'warns',
  'admission.audited': 'reports',
  'admission.mutated': 'changes',
  'admission.generated': 'makes',
  'admission.excepted': 'excepted',
  'not-modelled': 'UNKNOWN',
}

/** A policy that fails refuses, unless all that it does is to tell. */
function wordOf({ code, outcome }: AdmissionStep): string | undefined {
  if (code === 'admission.failed' && outcome !== 'deny')
    return words[outcome === 'warn' ? 'admission.warned' : 'admission.audited']
  return words[code]
}

/** The widest of the words, and what stands around it. */
const margin = ' '.repeat(12)

/** A policy's steps of one kind stand together. Who is not concerned is only named; an exception is told with its line. */
function stepLines({ steps }: Admission): string[] {
  const told = new Map<string, string>()
  const lines: string[] = []
  const others = new Set<string>()
  for (const group of grouped(steps)) {
    const [step] = group
    if (step === undefined) continue
    const word = wordOf(step)
    if (word === undefined) {
      others.add(step.policy ?? step.engine)
      continue
    }
    const rule = step.rule === undefined ? '' : step.engine === 'psa' ? ` (${step.rule})` : ` rule ${step.rule}`
    const title = `${whose(step)}${rule}`
    const said = group.flatMap(details)
    const before = told.get(title)
    const again = said.length > 0 && before === said.join('\n')
    told.set(title, said.join('\n'))
    lines.push(
      `  ${word.padEnd(8)}  ${title}${again ? ', for the same' : ''}${step.at === undefined ? '' : `  ${step.at}`}`,
    )
    if (!again) lines.push(...said.map((line) => margin + line))
  }
  return [...lines, ...(others.size === 0 ? [] : [`  not about it: ${othersText([...others])}`])]
}

/** A few are named; many are counted. */
const othersText = (names: readonly string[]): string =>
  names.length > 3 ? `${names.length} other policies` : names.join(', ')

function grouped(steps: readonly AdmissionStep[]): AdmissionStep[][] {
  const groups: AdmissionStep[][] = []
  const keyOf = ({ engine, policy, rule, code, at }: AdmissionStep): string =>
    JSON.stringify([engine, policy, rule, code, at])
  for (const step of steps) {
    const last = groups.at(-1)
    if (last?.[0] !== undefined && keyOf(last[0]) === keyOf(step)) last.push(step)
    else groups.push([step])
  }
  return groups
}

function details(step: AdmissionStep): string[] {
  const { path, objectAt, exception, facts } = step
  const also = facts?.also === undefined ? [] : [`  also ${String(facts.also).replaceAll(' ', ', ')}`]
  return [
    ...reasonOf(step),
    ...(path === undefined ? [] : [`  ${[path, objectAt].filter((text) => text !== undefined).join('  ')}`]),
    ...also,
    ...(exception === undefined ? [] : [`  by ${exception.policy}  ${exception.at}`]),
  ]
}

/** In the policy's own words where it has some. */
function reasonOf(step: AdmissionStep): string[] {
  const { code, message, facts } = step
  if (code === 'not-modelled' || code === 'admission.failed') return [admissionSentence(step)]
  const said = message ?? facts?.makes ?? facts?.why
  return said === undefined ? [] : cut(String(said)).split('\n')
}

/** A controller is told, and nobody else: an event of the workload's holds the answer. */
function podLines(pod: Admission): string[] {
  const told = pod.steps.some(({ code, outcome }) => outcome !== 'not-applicable' && code !== 'admission.allowed')
  const lines = [`its pods: ${pod.object.id}   ${outcomeText(pod)}`]
  // Policies of pods that have nothing against them were told of the workload, rule by rule.
  if (told) lines.push(...stepLines(pod))
  if (pod.refusal !== undefined) {
    lines.push('  an event of its controller (FailedCreate) would say:')
    lines.push(...indented(`Error creating: ${pod.refusal.message}`, 4))
  }
  return lines.map((line) => `  ${line}`)
}

/** What people look for first stands first, in whatever order a policy put it together. */
const first = ['apiVersion', 'kind', 'metadata', 'spec']

function yamlOf(object: KubernetesObject): string {
  const fields = Object.entries(object)
  const ordered = [
    ...first.flatMap((key) => fields.filter(([name]) => name === key)),
    ...fields.filter(([name]) => !first.includes(name)),
  ]
  return stringify(new Map(ordered), { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd()
}

const indented = (text: string, by: number): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `${' '.repeat(by)}${line}`))
