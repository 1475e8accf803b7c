import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { judgeWith } from '../judge/judge.js'
import type { View } from '../result.js'
import { podOf } from './hardening/pods.js'
import { root, scenarios } from './in-force.js'
import { rendered } from './kubectl.js'
import { resources } from './repository.js'

/* A stack as it would be applied, with each object in the layer that it is in under k8s/layers. */

/** The registry that the committed component names. */
export const registry = 'registry.example/bulkhead'

const layers = new Map(resources.flatMap(({ id, layer }) => (layer === undefined ? [] : [[id, layer] as const])))
/** What a stack has instead of an object of a layer is of a layer as well. */
const instead: Readonly<Record<string, string>> = {
  'CiliumNetworkPolicy/gthulhu/manager-to-kube-apiserver': '30-cilium',
}

export async function stackOf(folder: string): Promise<readonly Resource[]> {
  const { resources: read, diagnostics } = parseManifests(await rendered(folder), `${folder}, rendered`)
  if (diagnostics.length > 0) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
  return read.map((resource) => {
    const layer = layers.get(resource.id) ?? instead[resource.id]
    return layer === undefined ? resource : { ...resource, layer }
  })
}

/** What scenarios bring along, from the registry that a stack has its images of. */
function broughtFrom(images: string): (file: string) => readonly Resource[] {
  const read = new Map<string, readonly Resource[]>()
  return (file) => {
    const known = read.get(file)
    if (known !== undefined) return known
    const text = readFileSync(join(root, file), 'utf8').replaceAll('localhost/bulkhead', images)
    const { resources: found } = parseManifests(text, file)
    read.set(file, found)
    return found
  }
}

/** What becomes of every scenario with these layers on, by its id: where, how, and by which policies. */
export function outcomesOn(
  base: readonly Resource[],
  on: readonly string[],
  images: string,
): Readonly<Record<string, string>> {
  const judged = judgeWith(base, broughtFrom(images))
  return Object.fromEntries(
    scenarios
      .filter(({ needs = [] }) => needs.every((layer) => on.includes(layer)))
      .map((scenario) => [scenario.id, told(judged(scenario, on))]),
  )
}

function told(view: View | undefined): string {
  if (view === undefined) return 'not judged'
  const { outcome, symptom, reason } = view
  const by = reason?.policies?.map(({ policy }) => policy).sort() ?? []
  return [outcome, symptom, reason?.code, ...by].join(' ')
}

const distinct = (found: readonly string[]): readonly string[] => [...new Set(found)].sort()

/** What its containers run. */
export const imagesIn = (some: readonly Resource[]): readonly string[] =>
  distinct(
    some
      .flatMap((one) => [...(podOf(one)?.initContainers ?? []), ...(podOf(one)?.containers ?? [])])
      .map(({ image }) => image),
  )

/** What 10-admission lets run. */
export const allowedBy = (some: readonly Resource[]): readonly string[] =>
  listed(some, 'ValidatingPolicy/allowed-images')

/** What manifest-gen may write down. */
export const writtenDownBy = (some: readonly Resource[]): readonly string[] => {
  const { containers = [] } =
    podOf(some.find(({ id }) => id === 'Deployment/manifest-gen/manifest-gen') ?? never()) ?? {}
  const value = containers.flatMap(({ env = [] }) => env).find(({ name }) => name === 'ALLOWED_IMAGES')?.value ?? ''
  return distinct(value.split(',').map((image) => image.trim()))
}

function listed(some: readonly Resource[], id: string): readonly string[] {
  const { object } = some.find((one) => one.id === id) ?? never()
  const { spec } = object as typeof object & {
    readonly spec: { readonly validations: readonly { readonly expression: string }[] }
  }
  return distinct(spec.validations.flatMap(({ expression }) => expression.match(/(?<=')[^' ]+\/[^' ]+(?=')/g) ?? []))
}

function never(): never {
  throw new Error('it is not in this stack')
}
