import type { CiliumNetworkPolicy, CiliumPortRule, CiliumRule, Resource } from '@bulkhead/resources'
import type { Snapshot, Step } from '@bulkhead/verdict'
import { appended, type Candidate, placeOf } from '../edits.js'

/**
 * Adds what was read, and is not listed, to the lists of the rule that let the packet pass: the server\'s name, the name
 * that is asked for, or the request. None for a connection that names nothing.
 */
export function listWhatWasRead(step: Step, snapshot: Snapshot): readonly Candidate[] {
  const policy = snapshot.resources.find(({ id }) => id === step.policy)
  const wanted = listed(step)
  if (policy === undefined || !isCilium(policy) || wanted === undefined || step.rule === undefined) return []
  const { rule, point } = step
  const direction = point === 'cni-egress' ? 'egress' : 'ingress'
  return rulesOf(policy.object).flatMap(([path, spec]) => {
    const place = [...path, direction, rule]
    // Rules of several specs have the same number; the step says where its own is written.
    if (step.at !== undefined && placeOf(policy, place) !== step.at) return []
    const toPorts: readonly CiliumPortRule[] = spec[direction]?.[rule]?.toPorts ?? []
    return toPorts.flatMap((ports, index) =>
      wanted.has(ports)
        ? appended(
            snapshot,
            policy,
            [...place, 'toPorts', index, ...wanted.field],
            wanted.value,
            `add ${JSON.stringify(wanted.value)} to rule ${rule}`,
          )
        : [],
    )
  })
}

type Spec = readonly [path: readonly (string | number)[], spec: CiliumRule]

/** Each of the policy's specs, and where it stands. */
function rulesOf({ spec, specs = [] }: CiliumNetworkPolicy): readonly Spec[] {
  return [
    ...(spec === undefined ? [] : [[['spec'], spec] as const]),
    ...specs.map((one, index) => [['specs', index], one] as const),
  ]
}

interface Listed {
  readonly field: readonly string[]
  readonly value: unknown
  has(ports: CiliumPortRule): boolean
}

function listed({ code, facts = {} }: Step): Listed | undefined {
  switch (code) {
    case 'cni.sni-denied':
      if (facts.sni === undefined || facts.sni === 'none') return undefined
      return { field: ['serverNames'], value: facts.sni, has: ({ serverNames }) => serverNames !== undefined }
    case 'cni.dns-denied':
      if (facts.query === undefined || !String(facts.query).includes('.')) return undefined
      return {
        field: ['rules', 'dns'],
        value: { matchName: facts.query },
        has: ({ rules }) => rules?.dns !== undefined,
      }
    case 'cni.http-denied': {
      const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(String(facts.request)) ?? []
      if (method === undefined || path === undefined) return undefined
      const value = { method, path: path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') }
      return { field: ['rules', 'http'], value, has: ({ rules }) => rules?.http !== undefined }
    }
    default:
      return undefined
  }
}

const kinds: ReadonlySet<string> = new Set(['CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'])

const isCilium = (resource: Resource): resource is Resource<CiliumNetworkPolicy> =>
  kinds.has(resource.kind) && resource.object.apiVersion.startsWith('cilium.io/')
