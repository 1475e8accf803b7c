import type { Report } from '../diagnostics.js'
import type { Pod, Service, Workload } from '../kinds.js'
import type { ClusterRole, Role, RoleBinding } from '../kinds-rbac.js'
import type { KubernetesObject } from '../types.js'
import { checkAdmissionBinding, checkAdmissionPolicy } from './admission.js'
import { checkPodSpec } from './pod.js'
import { checkRole, checkRoleBinding } from './rbac.js'
import { checkService } from './service.js'
import { checkWorkload } from './workload.js'

/*
 * What the API server refuses by code and not by schema, of the kinds that are run or judged here. Expects an object
 * that its schema has passed.
 */
export function checkRules(object: KubernetesObject, report: Report): void {
  const check = Object.hasOwn(CHECKS, `${object.apiVersion} ${object.kind}`)
    ? CHECKS[`${object.apiVersion} ${object.kind}`]
    : undefined
  if (check === undefined) return
  if (!object.apiVersion.startsWith(RBAC)) requireSpec(object, check, report)
  else check(object, report)
}

function requireSpec(object: KubernetesObject, check: Check, report: Report): void {
  // The schemas leave spec open to be missing; for these kinds the API server does not.
  if ((object as { spec?: unknown }).spec === undefined) {
    report('error', 'field.missing', [], 'spec is missing, and must be set')
    return
  }
  check(object, report)
}

type Check = (object: KubernetesObject, report: Report) => void
/** Its kinds have no spec. */
const RBAC = 'rbac.authorization.k8s.io/'
const ADMISSION = 'admissionregistration.k8s.io/'

const CHECKS: Readonly<Record<string, Check>> = {
  'v1 Pod': (object, report) => checkPodSpec((object as Pod).spec, ['spec'], report),
  'v1 Service': (object, report) => checkService(object as Service, report),
  'apps/v1 Deployment': (object, report) => checkWorkload(object as Workload, report),
  'apps/v1 StatefulSet': (object, report) => checkWorkload(object as Workload, report),
  'apps/v1 DaemonSet': (object, report) => checkWorkload(object as Workload, report),
  [`${ADMISSION}v1 ValidatingAdmissionPolicy`]: checkAdmissionPolicy,
  [`${ADMISSION}v1 ValidatingAdmissionPolicyBinding`]: checkAdmissionBinding,
  [`${RBAC}v1 Role`]: (object, report) => checkRole(object as Role, report),
  [`${RBAC}v1 ClusterRole`]: (object, report) => checkRole(object as ClusterRole, report),
  [`${RBAC}v1 RoleBinding`]: (object, report) => checkRoleBinding(object as RoleBinding, report),
  [`${RBAC}v1 ClusterRoleBinding`]: (object, report) => checkRoleBinding(object as RoleBinding, report),
}
