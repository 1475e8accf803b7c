import type { Resource } from '@bulkhead/resources'
import { type AdmissionPolicies, admit, compileAdmission } from '@bulkhead/verdict/admission'
import { admissionView } from '../admission.js'
import type { View } from '../result.js'
import type { Admitted } from '../types.js'
import { type Brings, type Brought, broughtBy } from './brought.js'

/** The groups of the policies that the API server, or who it asks, goes by. */
const groups = new Set(['policies.kyverno.io', 'kyverno.io', 'admissionregistration.k8s.io'])

const groupOf = ({ object }: Resource): string => /^(.+)\//.exec(object.apiVersion)?.[1] ?? ''

const lookedUp = new Set(['Namespace', 'ServiceAccount'])

/** What admission says of what scenarios bring along, with some layers on. */
export interface Admissions {
  /** Each object as kubectl would create it, or change it where it is there. */
  admit(brought: readonly Resource[], on: readonly string[]): readonly Admitted[]
  /** What becomes of what a scenario brings along; undefined where it is let in. */
  refusal(scenario: Brings, on: readonly string[]): View | undefined
}

/**
 * Policies are compiled once for each set of layers that have policies of objects, and each answer is kept: the layers that judge
 * calls do not change it, but by what is there already.
 */
export function admissionsOf(base: readonly Resource[], brought: Brought): Admissions {
  const gates = new Set(base.flatMap((one) => (groups.has(groupOf(one)) ? (one.layer ?? []) : [])))
  const policies = new Map<string, AdmissionPolicies>()
  const answers = new Map<string, View | undefined>()

  const isOff = ({ layer }: Resource, on: readonly string[]): boolean => layer !== undefined && !on.includes(layer)
  const gatesOn = (on: readonly string[]): readonly string[] => on.filter((layer) => gates.has(layer))

  /** Compiled with what is brought, since policies look up the ServiceAccounts that come with the pods. */
  function policiesFor(objects: readonly Resource[], on: readonly string[]): AdmissionPolicies {
    const looked = objects.filter((one) => lookedUp.has(one.kind) || groups.has(groupOf(one)))
    const key = JSON.stringify([gatesOn(on), looked.map(({ id, object }) => [id, object])])
    const known = policies.get(key)
    if (known !== undefined) return known
    const names = new Set(looked.map(({ id }) => id))
    const there = base.filter((one) => !(gates.has(one.layer ?? '') && isOff(one, on)) && !names.has(one.id))
    const made = compileAdmission([...there, ...looked])
    policies.set(key, made)
    return made
  }

  const objects = new Map(base.map((one) => [one.id, one]))
  const admitAll: Admissions['admit'] = (some, on) =>
    some.map((object) => {
      const before = objects.get(object.id)
      if (before === undefined || isOff(before, on))
        return admit({ operation: 'CREATE', object }, policiesFor(some, on))
      return admit({ operation: 'UPDATE', object, oldObject: before.object }, policiesFor(some, on))
    })

  return {
    admit: admitAll,
    refusal({ given, change }, on) {
      const some = broughtBy({ given, change }, brought)
      if (some.length === 0) return undefined
      const there = some.filter(({ id }) => {
        const before = objects.get(id)
        return before !== undefined && !isOff(before, on)
      })
      const key = JSON.stringify([gatesOn(on), given?.manifests, change?.manifests, there.map(({ id }) => id)])
      if (answers.has(key)) return answers.get(key)
      const view = admissionView(admitAll(some, on))
      answers.set(key, view)
      return view
    },
  }
}
