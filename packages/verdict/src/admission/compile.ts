import { compileWith } from './compiled.js'
import { readClusterPolicies } from './kyverno/cluster-policy/index.js'
import type { CompileAdmission } from './types.js'

export const compileAdmission: CompileAdmission = (resources, options) =>
  compileWith(readClusterPolicies, resources, options)
