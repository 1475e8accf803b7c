import type { Resource } from '@bulkhead/resources'
import type { PodContext } from './env.js'
import type { PodOwner } from './plan.js'

interface ClaimSource {
  readonly persistentVolumeClaim?: { readonly claimName?: string }
}
interface Templates {
  readonly volumeClaimTemplates?: readonly { readonly metadata?: { readonly name?: string } }[]
}

/** As the API server has names; a folder of this name is made. */
const namePattern = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/**
 * The claims behind a pod's volumes, by the volume's name: those that its spec names, and those that its StatefulSet makes
 * for each of its pods (`<template>-<pod>`). `problem` is told of claims that are not there: without them a pod waits for ever.
 */
export function claimsOf(
  { resource, template, path }: PodOwner,
  { pod, find }: PodContext,
  problem: (where: readonly (string | number)[], text: string) => void,
): ReadonlyMap<string, string> {
  const claims = new Map<string, string>()
  for (const [index, volume] of (template.spec.volumes ?? []).entries()) {
    const name = (volume as ClaimSource).persistentVolumeClaim?.claimName
    if (name === undefined) continue
    const at = [...path, 'spec', 'volumes', index, 'persistentVolumeClaim', 'claimName']
    if (!namePattern.test(name)) problem(at, `${JSON.stringify(name)} is not the name of a claim`)
    else if (find(`PersistentVolumeClaim/${pod.namespace}/${name}`) === undefined)
      problem(at, `there is no PersistentVolumeClaim ${JSON.stringify(name)} in namespace ${pod.namespace}`)
    else claims.set(volume.name, name)
  }
  for (const [index, one] of templatesOf(resource).entries()) {
    const volume = one.metadata?.name ?? ''
    const name = `${volume}-${pod.name}`
    if (namePattern.test(volume) && namePattern.test(name)) claims.set(volume, name)
    else problem(['spec', 'volumeClaimTemplates', index], `${JSON.stringify(volume)} is not the name of a claim`)
  }
  return claims
}

function templatesOf({ kind, object }: Resource): NonNullable<Templates['volumeClaimTemplates']> {
  const { spec } = object as { readonly spec?: Templates }
  return kind === 'StatefulSet' ? (spec?.volumeClaimTemplates ?? []) : []
}
