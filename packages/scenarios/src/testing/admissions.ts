import { parseManifests, type Resource } from '@bulkhead/resources'
import { type AdmissionPolicies, admit, compileAdmission } from '@bulkhead/verdict/admission'
import { admissionView } from '../admission.js'
import type { View } from '../result.js'
import type { Admitted } from '../types.js'
import { type Brings, broughtBy } from './in-force.js'
import { admission, resources } from './repository.js'

/* What admission says of what scenarios bring along, by the engine and this repository's policies. */

/** What is in force: with layer 10 on, or off, where Pod Security alone is left. */
const baseWith = (on: boolean): readonly Resource[] => resources.filter(({ layer }) => on || layer !== admission)

const policies = new Map<string, AdmissionPolicies>()

/** Compiled with what is brought, since policies look up the ServiceAccounts that come with the pods. */
function policiesFor(brought: readonly Resource[], on: boolean): AdmissionPolicies {
  const looked = brought.filter(({ kind }) => ['Namespace', 'ServiceAccount', 'PolicyException'].includes(kind))
  const key = JSON.stringify([on, looked.map(({ id, object }) => [id, object])])
  const known = policies.get(key)
  if (known !== undefined) return known
  const names = new Set(looked.map(({ id }) => id))
  const made = compileAdmission([...baseWith(on).filter(({ id }) => !names.has(id)), ...looked])
  policies.set(key, made)
  return made
}

/** Each object as kubectl would create it, or change it where it is there. */
export function admitAll(brought: readonly Resource[], on: boolean): readonly Admitted[] {
  const there = new Map(baseWith(on).map(({ id, object }) => [id, object]))
  return brought.map((object) => {
    const oldObject = there.get(object.id)
    const request =
      oldObject === undefined ? { operation: 'CREATE' as const } : { operation: 'UPDATE' as const, oldObject }
    return admit({ ...request, object }, policiesFor(brought, on))
  })
}

/** What becomes of what a scenario brings along; undefined where it is let in. */
export const refusalOf = ({ given, change }: Brings, on: boolean): View | undefined =>
  admissionView(admitAll(broughtBy({ given, change }), on))

/** The same of a manifest's text. */
export function refusalOfText(text: string, on: boolean): View | undefined {
  const { resources: brought, diagnostics } = parseManifests(text, 'test.yaml')
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics))
  return admissionView(admitAll(brought, on))
}
