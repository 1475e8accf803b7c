import { parseManifests, type Resource } from '@bulkhead/resources'
import { readCelPolicies } from '../admission/kyverno/cel-policies/index.js'
import { indexObjects } from '../admission/objects.js'
import { reviewOf } from '../admission/review.js'
import type { AdmissionOptions, AdmissionRequest, AdmissionStep } from '../admission/types.js'

/*
 * Test code: policies of CEL asked about an object, both as YAML, without the gates around them.
 */

export interface Asked extends Partial<Omit<AdmissionRequest, 'object' | 'oldObject'>> {
  /** What was there before, as YAML. */
  readonly before?: string
  /** Objects that policies may look up, beside the policies' own text. */
  readonly set?: string
  readonly options?: AdmissionOptions
}

export function objects(yaml: string, file = 'policy.yaml'): readonly Resource[] {
  const { resources, diagnostics } = parseManifests(yaml, file)
  const [first] = diagnostics.filter(({ severity }) => severity === 'error')
  if (first !== undefined) throw new TypeError(`${first.at.file}:${first.at.line}:${first.at.column}: ${first.message}`)
  return resources
}

/** Every policy's word, in the order in which they are read. */
export function ask(policies: string, object: string, asked: Asked = {}): readonly AdmissionStep[] {
  const { before, set = '', options, operation, user, subResource } = asked
  const resources = [...objects(policies), ...objects(set, 'set.yaml')]
  const [resource] = objects(object, 'object.yaml')
  if (resource === undefined) throw new TypeError('the object is missing')
  const [old] = before === undefined ? [] : objects(before, 'before.yaml')
  const review = reviewOf(
    {
      operation: operation ?? (old === undefined ? 'CREATE' : 'UPDATE'),
      object: resource,
      ...(old !== undefined && { oldObject: old.object }),
      ...(user !== undefined && { user }),
      ...(subResource !== undefined && { subResource }),
    },
    indexObjects(resources),
  )
  return readCelPolicies(resources, options).reviewers.flatMap((reviewer) => reviewer.review(review).steps)
}

/** A ValidatingPolicy about pods, with this spec besides. */
export function podPolicy(name: string, spec: string, more = ''): string {
  return `apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: ${name} }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods] }
${spec}
${more}`
}
