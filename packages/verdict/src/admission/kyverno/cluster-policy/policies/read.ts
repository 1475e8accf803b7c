import type { Resource } from '@bulkhead/resources'
import { rawField } from '../../../../model/kinds.js'
import { familiesOf } from '../autogen.js'
import { isDict, isList, pairsOf } from '../data.js'
import type { Policy } from '../types.js'
import { checkPolicy } from './check.js'

/** Throws CompileError for a policy that Kyverno refuses. */
export function readPolicy(resource: Resource): Policy {
  const spec = rawField(resource.object, 'spec')
  checkPolicy(resource, spec)
  const { rules } = isDict(spec) ? spec : { rules: [] }
  return {
    resource,
    name: resource.name,
    namespace: resource.kind === 'Policy' ? (resource.namespace ?? 'default') : undefined,
    spec: isDict(spec) ? spec : {},
    families: familiesOf(isList(rules) ? rules : [], pairsOf(resource.object.metadata.annotations)),
  }
}
