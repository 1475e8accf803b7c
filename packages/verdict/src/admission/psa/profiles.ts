import type { FieldPath } from '@bulkhead/resources'
import type { Control } from './baseline.js'
import { containersNamed, fieldsOf, plural, quoted, sorted } from './pod.js'
import { badSetters, inside, without } from './setters.js'

/*
 * Which profiles of AppArmor, SELinux and seccomp a pod may ask for (semantics E.5).
 */

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
const appArmorTypes: readonly unknown[] = ['RuntimeDefault', 'Localhost']

export const appArmorProfile: Control = (pod) => {
  const bad = badSetters(pod, ['appArmorProfile'], (value) => !appArmorTypes.includes(fieldsOf(value)?.type))
  // Until 1.30 it was said by annotations, and those are still read.
  const annotations = Object.entries(pod.annotations)
    .filter(([name, value]) => name.startsWith(appArmorPrefix) && !/^(runtime\/default$|localhost\/|$)/.test(value))
    .map(([name, value]) => ({ name, said: `${name}=${JSON.stringify(value)}` }))
    .sort((a, b) => (a.said < b.said ? -1 : 1))
  if (bad === undefined && annotations.length === 0) return undefined
  const types = sorted((bad?.values ?? []).map((value) => String(fieldsOf(value)?.type ?? '')))
  const values = [...types, ...annotations.map(({ said }) => said)]
  const who = [
    ...(bad === undefined ? [] : [bad.said]),
    ...(annotations.length === 0 ? [] : [plural('annotation', annotations.length)]),
  ].join(' and ')
  return {
    reason: plural('forbidden AppArmor profile', values.length),
    detail: `${who} must not set AppArmor profile type to ${quoted(values)}`,
    fields: [
      ...(bad?.fields ?? []).map((field) => [...field, 'type']),
      ...annotations.map(({ name }): FieldPath => ['metadata', 'annotations', name]),
    ],
  }
}

const seLinux =
  (types: readonly unknown[]): Control =>
  (pod) => {
    const path = ['seLinuxOptions']
    const isBadType = (value: unknown): boolean => !types.includes(fieldsOf(value)?.type ?? '')
    const sets = (value: unknown, name: string): boolean => (fieldsOf(value)?.[name] ?? '') !== ''
    const bad = badSetters(pod, path, (value) => isBadType(value) || sets(value, 'user') || sets(value, 'role'))
    if (bad === undefined) return undefined
    const badTypes = sorted(bad.values.filter(isBadType).map((value) => String(fieldsOf(value)?.type)))
    const said = [
      ...(badTypes.length === 0 ? [] : [`${plural('type', badTypes.length)} ${quoted(badTypes)}`]),
      ...['user', 'role'].flatMap((name) =>
        bad.values.some((value) => sets(value, name)) ? [`${name} may not be set`] : [],
      ),
    ]
    return {
      reason: 'seLinuxOptions',
      detail: `${bad.said} set forbidden securityContext.seLinuxOptions: ${said.join('; ')}`,
      fields: bad.fields.map((field, index) => {
        const value = bad.values[index]
        const wrong = isBadType(value) ? 'type' : sets(value, 'user') ? 'user' : 'role'
        return [...field, wrong]
      }),
    }
  }

const types1_0 = ['', 'container_t', 'container_init_t', 'container_kvm_t']

/** Which SELinux types may be asked for, since which minor version of Kubernetes. */
export const seLinuxSince: readonly (readonly [since: number, control: Control])[] = [
  [0, seLinux(types1_0)],
  [31, seLinux([...types1_0, 'container_engine_t'])],
]

const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/'

/** Before 1.19 seccomp was said by annotations. */
export const seccompAnnotations: Control = (pod) => {
  const names = [seccompPod, ...pod.containers.map(({ name }) => seccompContainer + name)]
  const forbidden = sorted(names).flatMap((name) => {
    const value = Object.hasOwn(pod.annotations, name) ? pod.annotations[name] : undefined
    if (value === undefined || /^(runtime\/default$|docker\/default$|localhost\/)/.test(value)) return []
    return [{ name, said: `${name}=${JSON.stringify(value)}` }]
  })
  if (forbidden.length === 0) return undefined
  const said = sorted(forbidden.map((one) => one.said)).join(', ')
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${plural('annotation', forbidden.length)} ${said}`,
    fields: forbidden.map(({ name }) => ['metadata', 'annotations', name]),
  }
}

const seccompTypes: readonly unknown[] = ['RuntimeDefault', 'Localhost']
const isBadSeccomp = (value: unknown): boolean => !seccompTypes.includes(fieldsOf(value)?.type)

/** Whoever sets a profile may not set a loose one. */
export const seccomp: Control = (pod) => {
  const bad = badSetters(pod, ['seccompProfile'], isBadSeccomp)
  if (bad === undefined) return undefined
  const types = sorted(bad.values.map((value) => String(fieldsOf(value)?.type ?? '')))
  return {
    reason: 'seccompProfile',
    detail: `${bad.said} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
    fields: bad.fields.map((field) => [...field, 'type']),
  }
}

/** And each container has one: its own, or the pod's. */
export const seccompRequired: Control = (pod) => {
  const loose = seccomp(pod)
  if (loose !== undefined) return loose
  if (inside(pod.security, ['seccompProfile']) !== undefined) return undefined
  const missing = without(pod, ['seccompProfile'])
  if (missing.length === 0) return undefined
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containersNamed(missing)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
    fields: missing.map(({ path }) => [...path, 'securityContext', 'seccompProfile', 'type']),
  }
}
