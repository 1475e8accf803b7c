import { type Fields, field, fields, list, texts } from '../../match/fields.js'

/*
 * What Kyverno makes of a policy about Pods for the kinds that make pods (pkg/cel/autogen of Kyverno 1.19): the same
 * policy about those kinds, with `object.spec` and `object.metadata` in its whole text replaced by their pod template's.
 * `metadata.namespace` stays the workload's own, since a template has none.
 */

export type AutogenName = 'defaults' | 'cronjobs'

interface Kind {
  readonly group: 'apps' | 'batch'
  readonly config: AutogenName
}

const kinds: Readonly<Record<string, Kind>> = {
  daemonsets: { group: 'apps', config: 'defaults' },
  deployments: { group: 'apps', config: 'defaults' },
  replicasets: { group: 'apps', config: 'defaults' },
  statefulsets: { group: 'apps', config: 'defaults' },
  jobs: { group: 'batch', config: 'defaults' },
  cronjobs: { group: 'batch', config: 'cronjobs' },
}

const templates: Readonly<Record<AutogenName, string>> = {
  defaults: 'spec.template',
  cronjobs: 'spec.jobTemplate.spec.template',
}

export interface Generated {
  readonly name: AutogenName
  readonly matchConstraints: Fields
  /** The text of an expression or a message, as the generated policy has it. */
  rewrite(text: string): string
}

/** One for the kinds with a template, one for CronJobs; none where Kyverno makes none. */
export function autogen(spec: unknown): readonly Generated[] {
  const constraints = field(spec, 'matchConstraints')
  if (!isAboutPodsAlone(constraints)) return []
  const wanted = field(spec, 'autogen', 'podControllers', 'controllers')
  const names = Array.isArray(wanted) ? texts(wanted) : Object.keys(kinds)
  return (['cronjobs', 'defaults'] as const).flatMap((name) => {
    const resources = names.filter((one) => Object.hasOwn(kinds, one) && kinds[one]?.config === name)
    if (resources.length === 0) return []
    const matchConstraints = constraintsFor(resources, constraints)
    return [{ name, matchConstraints, rewrite: (text: string) => rewriteFor(name, text) }]
  })
}

/** One rule, for `pods` of `v1` and nothing else (`pods/ephemeralcontainers` neither), without names, exclusions and labels. */
function isAboutPodsAlone(constraints: unknown): boolean {
  const rules = list(field(constraints, 'resourceRules'))
  const [rule] = rules
  const only = (name: string, value: string): boolean => {
    const values = texts(field(rule, name))
    return values.length === 1 && values[0] === value
  }
  const labels = field(constraints, 'objectSelector')
  return (
    rules.length === 1 &&
    Object.keys(fields(field(labels, 'matchLabels'))).length === 0 &&
    list(field(labels, 'matchExpressions')).length === 0 &&
    list(field(constraints, 'excludeResourceRules')).length === 0 &&
    list(field(rule, 'resourceNames')).length === 0 &&
    only('apiGroups', '') &&
    only('apiVersions', 'v1') &&
    only('resources', 'pods')
  )
}

function constraintsFor(resources: readonly string[], constraints: unknown): Fields {
  const [rule] = list(field(constraints, 'resourceRules'))
  const namespaceSelector = field(constraints, 'namespaceSelector')
  const resourceRules = (['apps', 'batch'] as const).flatMap((group) => {
    const own = resources.filter((one) => kinds[one]?.group === group)
    const operations = field(rule, 'operations')
    return own.length === 0 ? [] : [{ apiGroups: [group], apiVersions: ['v1'], resources: own, operations }]
  })
  return { resourceRules, ...(namespaceSelector !== undefined && { namespaceSelector }) }
}

/** By text, as Kyverno does it: in strings and comments of an expression too, and not in `object.?spec`. */
function rewriteFor(name: AutogenName, text: string): string {
  const template = templates[name]
  let rewritten = text
  for (const part of ['spec', 'metadata']) {
    for (const root of ['object', 'oldObject']) {
      rewritten = rewritten.replace(
        new RegExp(`${root}\\.${part}(?!\\.namespace(?![A-Za-z0-9_]))`, 'g'),
        `${root}.${template}.${part}`,
      )
    }
  }
  return rewritten
}
