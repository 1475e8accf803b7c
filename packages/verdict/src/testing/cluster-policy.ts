import { type KubernetesObject, parseManifests, type Resource } from '@bulkhead/resources'
import { clusterPolicyReviewers } from '../admission/kyverno/cluster-policy/index.js'
import { resourceOf } from '../admission/targets.js'
import type { AdmissionOptions, AdmissionStep, Operation, Requester, Review, Reviewed } from '../admission/types.js'
import { resource } from './objects.js'

/*
 * Test code: a kyverno.io policy asked by itself, without the chain around it.
 */

export interface Asking {
  readonly operation?: Operation
  readonly oldObject?: KubernetesObject
  readonly subResource?: string
  readonly user?: Requester
  readonly namespaceLabels?: Readonly<Record<string, string>>
  readonly options?: AdmissionOptions
}

export const administrator: Requester = {
  username: 'kubernetes-admin',
  groups: ['system:masters', 'system:authenticated'],
}

/** Policies, exceptions and whatever they look up, as YAML; throws for what no schema takes. */
export function objectsOf(yaml: string): readonly Resource[] {
  const { resources, diagnostics } = parseManifests(yaml, 'policy.yaml')
  const wrong = diagnostics.filter(({ severity }) => severity === 'error')
  if (wrong.length > 0) throw new TypeError(wrong.map(({ message }) => message).join('; '))
  return resources
}

export function reviewOf(object: KubernetesObject, set: readonly Resource[], asking: Asking = {}): Review {
  const subject = resource(object)
  const { operation = 'CREATE', user = administrator, oldObject, subResource } = asking
  const named = (apiVersion: string, of: string, namespace: string) =>
    set.filter(
      (one) =>
        one.object.apiVersion === apiVersion &&
        resourceOf(one.kind) === of &&
        (one.object.metadata.namespace ?? '') === namespace,
    )
  const namespace = object.kind === 'Namespace' ? object.metadata.name : object.metadata.namespace
  return {
    request: {
      operation,
      user,
      object: subject,
      ...(oldObject !== undefined && { oldObject }),
      ...(subResource !== undefined && { subResource }),
    },
    object: { ...object },
    oldObject: oldObject === undefined ? null : { ...oldObject },
    resource: resourceOf(object.kind),
    namespace,
    namespaceLabels: { 'kubernetes.io/metadata.name': namespace ?? '', ...asking.namespaceLabels },
    namespaceObject: null,
    get: (apiVersion, of, inside, name) => {
      const found = named(apiVersion, of, inside).find((one) => one.name === name)
      return found === undefined ? undefined : { ...found.object }
    },
    list: (apiVersion, of, inside) => named(apiVersion, of, inside).map((one) => ({ ...one.object })),
    objectAt: (path) => {
      const { file, line, column } = subject.position(path)
      return `${file}:${line}:${column}`
    },
  }
}

/** What every reviewer of one kind says, one after the other; what one changes the next one sees. */
export function ask(
  set: readonly Resource[],
  object: KubernetesObject,
  does: 'validate' | 'mutate' | 'generate' = 'validate',
  asking: Asking = {},
): Required<Pick<Reviewed, 'steps' | 'object'>> & Pick<Reviewed, 'generated'> {
  let review = reviewOf(object, set, asking)
  const steps: AdmissionStep[] = []
  const generated: KubernetesObject[] = []
  for (const reviewer of clusterPolicyReviewers(set, asking.options).filter((one) => one.does === does)) {
    const said = reviewer.review(review)
    steps.push(...said.steps)
    generated.push(...(said.generated ?? []))
    if (said.object !== undefined) review = { ...review, object: said.object }
  }
  return { steps, object: review.object, generated }
}

/** `deny autogen-rule`, and the like: what each step comes to. */
export function outcomes(steps: readonly AdmissionStep[]): readonly string[] {
  return steps.map(({ outcome, rule }) => `${outcome} ${rule}`)
}

/** A pod with what is given put into its spec; `containers` is one named `c` unless it is among that. */
export function podOf(
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Readonly<Record<string, unknown>> = {},
): KubernetesObject {
  const made = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'sandbox', ...metadata } }
  return { ...made, ...{ spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec } } }
}
