import type { Report } from '../diagnostics.js'
import type { Pod, Service, Workload } from '../kinds.js'
import type { KubernetesObject } from '../types.js'
import { checkPodSpec } from './pod.js'
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
  // The schemas leave spec open to be missing; for these kinds the API server does not.
  if ((object as { spec?: unknown }).spec === undefined) {
    report('error', 'field.missing', [], 'spec is missing, and must be set')
    return
  }
  check(object, report)
}

const CHECKS: Readonly<Record<string, (object: KubernetesObject, report: Report) => void>> = {
  'v1 Pod': (object, report) => checkPodSpec((object as Pod).spec, ['spec'], report),
  'v1 Service': (object, report) => checkService(object as Service, report),
  'apps/v1 Deployment': (object, report) => checkWorkload(object as Workload, report),
  'apps/v1 StatefulSet': (object, report) => checkWorkload(object as Workload, report),
  'apps/v1 DaemonSet': (object, report) => checkWorkload(object as Workload, report),
}
