import { violations, violationText } from '../../../psa/controls.js'
import { type LevelVersion, levelText } from '../../../psa/labels.js'
import { viewPod } from '../../../psa/pod.js'
import { type Dict, field, isDict, isList, textOf } from '../data.js'
import { NotModelled } from '../limits.js'
import type { Rule, RuleAnswer, Scene } from '../types.js'

/*
 * validate.podSecurity: a level of the Pod Security Standards inside of a rule, held against the pod or the template.
 */

const templates: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
}

export function podSecurityRule(rule: Rule, { object, review }: Scene): RuleAnswer {
  const asked = field(rule.body, 'validate', 'podSecurity')
  if (object === null || !isDict(asked)) return { status: 'none', message: '' }
  const { kind } = review.request.object
  const path = templates[kind] ?? ['spec', 'template']
  const pod = field(object, ...path)
  if (!isDict(pod)) return { status: 'error', message: 'Error while getting new resource: there is no pod in it' }
  const level = levelOf(asked)
  const found = violations(viewPod(pod, kind === 'Pod'), level)
  if (found.length === 0) return { status: 'pass', message: `Validation rule '${rule.name}' passed.` }
  if (isList(asked.exclude) && asked.exclude.length > 0)
    throw new NotModelled(`validate.podSecurity.exclude of the rule ${rule.name}, for a pod that breaks controls`)
  const first = found[0]?.fields[0]
  return {
    status: 'fail',
    message: `Validation rule '${rule.name}' failed. It violates PodSecurity "${levelText(level)}": ${violationText(found)}`,
    ...(first !== undefined && { path: [...path, ...first] }),
  }
}

function levelOf({ level, version }: Dict): LevelVersion {
  const minor = /^v1\.(\d+)$/.exec(textOf(version) ?? '')?.[1]
  const name = level === 'baseline' || level === 'restricted' ? level : 'privileged'
  return { level: name, ...(minor !== undefined && { minor: Number(minor) }) }
}
