import { quote, type Report } from '../diagnostics.js'
import type { PodSpec, Workload } from '../kinds.js'
import { checkLabels } from '../schema/metadata.js'
import { selectorMatches } from '../selectors.js'
import { checkPodSpec } from './pod.js'
import { checkSelector } from './selector.js'

/** Deployment, StatefulSet, DaemonSet: the pods made from the template must be the ones that the selector finds. */
export function checkWorkload(workload: Workload, report: Report): void {
  const { selector, template, replicas } = workload.spec
  const labels = template.metadata?.labels ?? {}
  checkSelector(selector, ['spec', 'selector'], report)
  checkLabels(labels, ['spec', 'template', 'metadata', 'labels'], report)
  const isEmpty = Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0
  if (isEmpty) {
    report(
      'error',
      'selector.empty',
      ['spec', 'selector'],
      `spec.selector is empty; a ${workload.kind} must name the labels of its own pods`,
    )
  } else if (!selectorMatches(selector, labels)) {
    report(
      'error',
      'selector.not-own-template',
      ['spec', 'selector'],
      `spec.selector ${quote(selector)} does not select the pods of its own template, whose labels are ${quote(labels)}`,
    )
  }
  if (replicas !== undefined && replicas < 0)
    report('error', 'field.value', ['spec', 'replicas'], `spec.replicas is ${replicas}, and cannot be less than 0`)
  // The schema lets a template be empty.
  const spec: PodSpec | undefined = template.spec
  if (spec === undefined)
    report('error', 'field.missing', ['spec', 'template'], 'spec.template.spec is missing, and must be set')
  else checkPodSpec(spec, ['spec', 'template', 'spec'], report, claimedVolumes(workload))
}

function claimedVolumes({ kind, spec }: Workload): readonly string[] {
  if (kind !== 'StatefulSet') return []
  return (spec.volumeClaimTemplates ?? []).flatMap(({ metadata }) => metadata?.name ?? [])
}
