import { changedResource, type KubernetesObject, madeResource, type Resource } from '@bulkhead/resources'
import type { Admission, AdmissionRequest, AdmissionStep, Operation } from '@bulkhead/verdict/admission'
import type { GateEngine } from '../admission/gate.js'
import { resource } from '../testing.js'

/** What a policy of these tests does, to objects of that kind whose name begins so. */
export interface Rule {
  readonly to: string
  readonly on?: readonly Operation[]
  readonly does: 'refuse' | 'refuse-pods' | 'doubt' | 'mark' | 'mark-pods' | 'make'
  /** What it makes goes with it. */
  readonly goes?: boolean
  /** Only where an object of that id is there. */
  readonly where?: string
}

const group = 'policies.kyverno.io/v1'

export const policy = (name: string, rule: Rule, layer?: string): Resource =>
  resource({ apiVersion: group, kind: 'ValidatingPolicy', metadata: { name }, spec: rule }, layer)

export const map = (name: string, data: Readonly<Record<string, string>> = {}, layer?: string): Resource =>
  resource({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data }, layer)

export const deployment = (name: string, word = 'one', replicas = 1): Resource =>
  resource({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: { replicas, template: { metadata: { labels: { app: name, word } }, spec: { containers: [] } } },
  })

/** A request as it was asked: `CREATE ConfigMap/shop/a`, with what was there where it was told. */
const said = ({ operation, object, oldObject, user }: AdmissionRequest): string => {
  const { data } = (oldObject ?? {}) as { readonly data?: Readonly<Record<string, string>> }
  const was = data === undefined ? '' : ` was ${JSON.stringify(data)}`
  return `${operation} ${object.id}${was}${user === undefined ? '' : ` as ${user.username}`}`
}

/** An engine with policies of one rule each, which notes what it is asked and of which policies. */
export function ruling(made: (resources: readonly Resource[]) => readonly Resource[] = () => []) {
  const asked: string[] = []
  const compiled: (readonly string[])[] = []
  const step = (does: AdmissionStep['does'], outcome: AdmissionStep['outcome'], by: Resource): AdmissionStep => ({
    engine: 'kyverno',
    does,
    outcome,
    code: does === 'mutate' ? 'admission.mutated' : 'admission.denied',
    policy: by.id,
    at: 'policy.yaml:3',
    path: '/data',
    objectAt: 'test.yaml:7:1',
  })
  const denied = (object: Resource, by: Resource, outcome: 'deny' | 'unknown' = 'deny'): Admission => ({
    outcome,
    decidedBy: 0,
    steps: [{ ...step('validate', outcome, by), ...(outcome === 'unknown' && { facts: { what: 'odd()' } }) }],
    ...(outcome === 'deny' && {
      refusal: { status: 400, reason: 'BadRequest', message: `${by.name} says no to ${object.name}` },
    }),
    warnings: [`${object.name} is warned of`],
    object,
    generated: [],
  })
  const engine: GateEngine = {
    compileAdmission: (resources) => {
      compiled.push(resources.filter(({ object }) => object.apiVersion === group).map(({ name }) => name))
      return { resources, notModelled: [] }
    },
    made,
    parse: (text) => {
      if (text.includes('broken')) throw new Error('unknown field "broken"')
      return []
    },
    admit: (request, { resources }) => {
      asked.push(said(request))
      const { object, operation } = request
      const rules = resources.flatMap((by) => {
        if (by.object.apiVersion !== group) return []
        const { spec } = by.object as KubernetesObject & { readonly spec: Rule }
        const holds = spec.where === undefined || resources.some(({ id }) => id === spec.where)
        const on = spec.on ?? ['CREATE', 'UPDATE']
        return holds && on.includes(operation) && object.id.startsWith(spec.to)
          ? [{ by, does: spec.does, goes: spec.goes === true }]
          : []
      })
      const first = (does: Rule['does']) => rules.find((rule) => rule.does === does)?.by
      const no = first('refuse') ?? first('doubt')
      if (no !== undefined) return denied(object, no, first('refuse') === undefined ? 'unknown' : 'deny')
      const mark = first('mark')
      const marked =
        mark === undefined
          ? object
          : changedResource(object, { ...object.object, data: { marked: 'yes' } } as KubernetesObject)
      const generated = rules.flatMap(({ by, does, goes }) => {
        if (does !== 'make') return []
        const made = madeResource({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `of-${object.name}` } }, by)
        return [goes ? { ...made, goesWith: by.id } : made]
      })
      const pod = podOf(object, first('refuse-pods'), first('mark-pods'))
      return { outcome: 'allow', steps: [], warnings: [], object: marked, generated, ...(pod !== undefined && { pod }) }
    },
  }
  const podOf = (workload: Resource, no: Resource | undefined, mark: Resource | undefined): Admission | undefined => {
    if (workload.kind !== 'Deployment') return undefined
    const labels = { app: workload.name, ...(mark !== undefined && { marked: 'yes' }) }
    const metadata = { name: `${workload.name}-1`, namespace: 'shop', labels }
    const pod = madeResource(
      { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [] } } as KubernetesObject,
      workload,
    )
    if (no !== undefined) return denied(pod, no)
    const steps = mark === undefined ? [] : [step('mutate', 'allow', mark)]
    return { outcome: 'allow', steps, warnings: [], object: pod, generated: [] }
  }
  return {
    engine,
    compiled,
    /** What was asked since the last look. */
    asked: () => asked.splice(0),
  }
}
