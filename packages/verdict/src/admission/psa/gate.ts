import type { FieldPath, Resource } from '@bulkhead/resources'
import { type GateWord, type Refusal, silent } from '../gate.js'
import { groupResourceOf, isNamespace, isPod, templateOf } from '../targets.js'
import type { AdmissionStep, Review } from '../types.js'
import { violations, violationText } from './controls.js'
import {
  compareLevels,
  type LevelVersion,
  labelOf,
  levelText,
  type Mode,
  type PodSecurity,
  readLabels,
  sameLevel,
} from './labels.js'
import { fieldsOf, listOf, textsOf, type Violation, viewPod } from './pod.js'

/*
 * Pod Security Admission (semantics E.5): the API server's own gate. It is about pods alone; of workloads it warns, since
 * nobody but their controller would hear of what it refuses.
 */

/** What the gate knows besides the request. */
export interface PodSecurityScene {
  readonly defaults: PodSecurity
  /** The object of a namespace; undefined where the set has none. */
  namespace(name: string): Resource | undefined
  /** The pods that the set's objects come to in a namespace, by name: those that a stricter label warns of. */
  podsIn(namespace: string): readonly { readonly name: string; readonly pod: Readonly<Record<string, unknown>> }[]
}

/** Sub-resources of pods that change nothing that the level is about. */
const ignored = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])

export function podSecurity(review: Review, scene: PodSecurityScene): GateWord {
  const { operation, object: resource, subResource } = review.request
  if (operation !== 'CREATE' && operation !== 'UPDATE') return silent
  if (isNamespace(resource.object)) return subResource === undefined ? ofNamespace(review, scene) : silent
  if (isPod(resource.object)) {
    if (subResource !== undefined && ignored.has(subResource)) return silent
    if (operation === 'UPDATE' && !concerns(review.object, review.oldObject)) return silent
    return ofPod(review, scene, [], review.object, ['enforce', 'audit', 'warn'])
  }
  const found = subResource === undefined ? templateOf(resource.object) : undefined
  if (found === undefined) return silent
  const template = found.path.reduce<unknown>((value, key) => fieldsOf(value)?.[key], review.object)
  return ofPod(review, scene, found.path, fieldsOf(template) ?? {}, ['audit', 'warn'])
}

/** @param root where the pod is in the object: `[]` of a pod itself, the template's path of a workload */
function ofPod(
  review: Review,
  scene: PodSecurityScene,
  root: FieldPath,
  pod: Readonly<Record<string, unknown>>,
  modes: readonly Mode[],
): GateWord {
  const namespace = review.namespace ?? 'default'
  const { policy, at } = readingOf(review.namespaceLabels, namespace, scene)
  if (modes.every((mode) => policy[mode].level === 'privileged')) return silent
  const view = viewPod(pod, root.length === 0)
  const asked = new Map<string, readonly Violation[]>()
  const against = (level: LevelVersion): readonly Violation[] => {
    const key = levelText(level)
    const found = asked.get(key) ?? violations(view, level)
    asked.set(key, found)
    return found
  }
  const steps: AdmissionStep[] = []
  const warnings: string[] = []
  let refusal: Refusal | undefined
  for (const mode of modes) {
    const level = policy[mode]
    if (level.level === 'privileged') continue
    // Who is refused is not warned as well.
    if (mode === 'warn' && refusal !== undefined) continue
    const found = against(level)
    const base = {
      engine: 'psa',
      does: 'validate',
      policy: `Namespace/${namespace}`,
      rule: levelText(level),
      ...at(mode),
    } as const
    if (found.length === 0) {
      // What one mode has nothing against needs saying once for a level.
      if (!steps.some((step) => step.rule === base.rule && step.outcome === 'allow'))
        steps.push(ordered({ ...base, outcome: 'allow', code: 'admission.allowed' }))
      continue
    }
    steps.push(...found.map((one) => violationStep(review, root, mode, base, one)))
    const words = `PodSecurity ${JSON.stringify(levelText(level))}: ${violationText(found)}`
    if (mode === 'warn') warnings.push(`would violate ${words}`)
    if (mode === 'enforce') refusal = forbidden(review, `violates ${words}`)
  }
  return { steps, warnings, ...(refusal !== undefined && { refusal }) }
}

interface Reading {
  readonly policy: PodSecurity
  readonly at: (mode: Mode) => { readonly at?: string }
}

/** By the labels, which are the same data as long as the namespace is the same. */
const readings = new WeakMap<object, Reading>()

function readingOf(labels: Readonly<Record<string, string>>, namespace: string, scene: PodSecurityScene): Reading {
  const known = readings.get(labels)
  if (known !== undefined) return known
  const places = new Map<Mode, { readonly at?: string }>()
  const reading: Reading = {
    policy: readLabels(labels, scene.defaults).policy,
    at: (mode) => {
      const found = places.get(mode) ?? labelAt(scene.namespace(namespace), mode)
      places.set(mode, found)
      return found
    },
  }
  readings.set(labels, reading)
  return reading
}

const outcomes = {
  enforce: { outcome: 'deny', code: 'admission.denied' },
  audit: { outcome: 'audit', code: 'admission.audited' },
  warn: { outcome: 'warn', code: 'admission.warned' },
} as const

type Base = Pick<AdmissionStep, 'engine' | 'does' | 'policy' | 'rule' | 'at'>

function violationStep(review: Review, root: FieldPath, mode: Mode, base: Base, violation: Violation): AdmissionStep {
  const [first = [], ...others] = violation.fields.map((field) => [...root, ...field])
  return ordered({
    ...base,
    ...outcomes[mode],
    message: `${violation.reason} (${violation.detail})`,
    path: pointer(first),
    objectAt: review.objectAt(first),
    facts: {
      control: violation.control,
      mode,
      ...(others.length > 0 && { also: others.slice(0, maxOthers).map(pointer).join(' ') }),
    },
  })
}

/** A step names the first field, and so many others. */
const maxOthers = 10
const pointer = (path: FieldPath): string => `/${path.join('/')}`

/** The keys of a step, in the order in which they are written. */
function ordered(step: AdmissionStep): AdmissionStep {
  const { engine, does, outcome, code, policy, rule, at, message, path, objectAt, facts } = step
  return {
    engine,
    does,
    outcome,
    code,
    ...(policy !== undefined && { policy }),
    ...(rule !== undefined && { rule }),
    ...(at !== undefined && { at }),
    ...(message !== undefined && { message }),
    ...(path !== undefined && { path }),
    ...(objectAt !== undefined && { objectAt }),
    ...(facts !== undefined && { facts }),
  }
}

/** The label that says the level; of a warning that nobody asked for, the one that enforces. */
function labelAt(namespace: Resource | undefined, mode: Mode): { readonly at?: string } {
  if (namespace === undefined) return {}
  const labels = namespace.object.metadata.labels ?? {}
  const label = [labelOf(mode), labelOf('enforce')].find((name) => Object.hasOwn(labels, name))
  const { file, line } = namespace.position(['metadata', 'labels', ...(label === undefined ? [] : [label])])
  return { at: `${file}:${line}` }
}

function forbidden({ request }: Review, what: string): Refusal {
  const { object, name } = request.object
  const message = `${groupResourceOf(object)} ${JSON.stringify(name)} is forbidden: ${what}`
  return { status: 403, reason: 'Forbidden', message }
}

/** An update that changes no image and adds no container is none that a level is about: nothing else of a pod can change. */
function concerns(pod: Readonly<Record<string, unknown>>, old: Readonly<Record<string, unknown>> | null): boolean {
  const [spec, oldSpec] = [fieldsOf(pod.spec) ?? {}, fieldsOf(old?.spec) ?? {}]
  const imagesOf = (list: unknown): unknown[] => listOf(list).map((container) => fieldsOf(container)?.image)
  for (const list of ['containers', 'initContainers']) {
    const [now, before] = [imagesOf(spec[list]), imagesOf(oldSpec[list])]
    if (now.length !== before.length || now.some((image, index) => image !== before[index])) return true
  }
  const before = new Map(listOf(oldSpec.ephemeralContainers).map((one) => [fieldsOf(one)?.name, fieldsOf(one)?.image]))
  return listOf(spec.ephemeralContainers).some((one) => {
    const { name, image } = fieldsOf(one) ?? {}
    return !before.has(name) || before.get(name) !== image
  })
}

/** Labels have to be good ones; a stricter level is told of the pods that are there, and lets them be. */
function ofNamespace(review: Review, scene: PodSecurityScene): GateWord {
  const { object: resource } = review.request
  const now = readLabels(textsOf(fieldsOf(review.object.metadata)?.labels), scene.defaults)
  const before =
    review.oldObject === null
      ? undefined
      : readLabels(textsOf(fieldsOf(review.oldObject.metadata)?.labels), scene.defaults)
  const base = { engine: 'psa', does: 'validate', policy: `Namespace/${resource.name}` } as const
  const unchanged = before !== undefined && JSON.stringify(before.bad) === JSON.stringify(now.bad)
  if (now.bad.length > 0 && !unchanged) {
    const words = now.bad.map(
      ({ label, value, must }) => `metadata.labels[${label}]: Invalid value: ${JSON.stringify(value)}: ${must}`,
    )
    const steps = now.bad.map(({ label, value, must }, index): AdmissionStep => {
      const path = ['metadata', 'labels', label]
      const { file, line } = resource.position(path)
      return ordered({
        ...base,
        outcome: 'deny',
        code: 'admission.denied',
        at: `${file}:${line}`,
        message: words[index] ?? must,
        path: pointer(path),
        objectAt: review.objectAt(path),
        facts: { label, value },
      })
    })
    const said = words.length === 1 ? words[0] : `[${words.join(', ')}]`
    const message = `Namespace ${JSON.stringify(resource.name)} is invalid: ${said}`
    return { steps, warnings: [], refusal: { status: 422, reason: 'Invalid', message } }
  }
  const { enforce } = now.policy
  if (enforce.level === 'privileged' || before === undefined || !stricter(enforce, before.policy.enforce)) return silent
  const warnings = ofPodsThere(resource.name, enforce, scene)
  const at = labelAt(resource, 'enforce')
  const steps = warnings.map((message) =>
    ordered({ ...base, outcome: 'warn', code: 'admission.warned', rule: levelText(enforce), ...at, message }),
  )
  return { steps, warnings }
}

function stricter(now: LevelVersion, before: LevelVersion): boolean {
  if (sameLevel(now, before)) return false
  const sameVersion = now.minor === before.minor
  return !sameVersion || compareLevels(now.level, before.level) > 0
}

/** The API server looks at so many. */
const maxPods = 3000

function ofPodsThere(namespace: string, level: LevelVersion, scene: PodSecurityScene): readonly string[] {
  const pods = scene.podsIn(namespace)
  const found = new Map<string, string[]>()
  for (const { name, pod } of pods.slice(0, maxPods)) {
    const reasons = violations(viewPod(pod), level)
      .map(({ reason }) => reason)
      .join(', ')
    if (reasons !== '') found.set(reasons, [...(found.get(reasons) ?? []), name])
  }
  const told = [...found].map(([reasons, names]) => `${podsNamed(names)}: ${reasons}`).sort()
  const over = pods.length - maxPods
  return [
    ...(over > 0
      ? [`new PodSecurity enforce level only checked against the first ${maxPods} of ${pods.length} existing pods`]
      : []),
    ...(told.length > 0
      ? [
          `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(levelText(level))}`,
        ]
      : []),
    ...told,
  ]
}

function podsNamed(names: readonly string[]): string {
  const [first = ''] = [...names].sort()
  const others = names.length - 1
  if (others === 0) return first
  return `${first} (and ${others} other ${others === 1 ? 'pod' : 'pods'})`
}
