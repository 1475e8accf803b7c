import type { Report } from '../diagnostics.js'
import { isObject } from '../plain.js'
import { isDnsLabel } from '../schema/names.js'
import { list, map, object, string } from '../schema/schema.js'
import { validate } from '../schema/validate.js'
import type { Diagnostic, Position } from '../types.js'
import { parseYaml } from '../yaml/documents.js'
import { nodeAt, writtenAt } from '../yaml/positions.js'

export const KUSTOMIZATION_NAMES: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

export interface Kustomization {
  /** Files and folders, as written: relative to the kustomization's folder. */
  readonly resources: readonly { readonly path: string; readonly at: Position }[]
  readonly namespace?: string
}

/** What kustomize knows and is not followed here. Ignoring a transformer would judge other objects than are applied. */
const NOT_FOLLOWED = new Set([
  ...[
    'bases',
    'buildMetadata',
    'commonAnnotations',
    'commonLabels',
    'components',
    'configMapGenerator',
    'configurations',
  ],
  ...['crds', 'generatorOptions', 'generators', 'helmChartInflationGenerator', 'helmCharts', 'helmGlobals', 'images'],
  ...['imageTags', 'inventory', 'labels', 'namePrefix', 'nameSuffix', 'openapi', 'patches', 'patchesJson6902'],
  ...['patchesStrategicMerge', 'replacements', 'replicas', 'secretGenerator', 'sortOptions', 'transformers'],
  ...['validators', 'vars'],
])

const schema = object({
  apiVersion: string({ oneOf: ['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1'] }),
  kind: string({
    check: (kind, at) => {
      if (kind === 'Component') {
        at.error(
          'kustomization.component',
          'a Component patches other objects and has none of its own; render the whole with `kubectl kustomize` and read that',
        )
      } else if (kind !== 'Kustomization')
        at.error(
          'kustomization.kind',
          `a kustomization.yaml holds a Kustomization, and this is ${JSON.stringify(kind)}`,
        )
    },
  }),
  metadata: object({ name: string(), namespace: string(), labels: map(string()), annotations: map(string()) }),
  namespace: string({
    check: (namespace, at) => {
      if (namespace !== '' && !isDnsLabel(namespace))
        at.error(
          'object.name',
          `${JSON.stringify(namespace)} is not a namespace's name: at most 63 of a-z, 0-9 and "-"`,
        )
    },
  }),
  resources: list(string()),
})

/** Reads a kustomization.yaml. `undefined` when there is a mistake in it; then that has been told. */
export function readKustomization(
  text: string,
  file: string,
  add: (diagnostic: Diagnostic) => void,
): Kustomization | undefined {
  let failed = false
  const yaml = parseYaml(text)
  const position = (offset: number): Position => ({ file, ...yaml.place(offset) })
  const error = (code: string, message: string, offset: number) => {
    failed = true
    add({ severity: 'error', code, message, at: position(offset) })
  }
  for (const { code, message, offset } of yaml.problems) error(code, message, offset)
  const [document, second] = yaml.documents.filter(({ value }) => value !== null)
  if (failed) return undefined
  if (document === undefined) {
    error('kustomization.empty', 'the kustomization is empty; it lists the files to read under `resources`', 0)
    return undefined
  }
  if (second !== undefined)
    error(
      'kustomization.documents',
      'a kustomization is one document, and this file has several',
      second.positions.offset,
    )

  const { value, positions } = document
  const report: Report = (severity, code, path, message) => {
    if (severity === 'error') failed = true
    add({ severity, code, message: `Kustomization: ${message}`, at: position(nodeAt(positions, path).offset) })
  }
  const fields = isObject(value) ? value : undefined
  const known: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(fields ?? {})) {
    if (!NOT_FOLLOWED.has(name)) known[name] = item
    else {
      report(
        'error',
        'kustomization.unsupported',
        [name],
        `\`${name}\` is not followed here, and without it other objects would be read than are applied; render with \`kubectl kustomize\` and read that`,
      )
    }
  }
  validate(fields === undefined ? value : known, schema, [], report, (path) => writtenAt(positions, path)?.written)
  if (failed || fields === undefined) return undefined

  const resources = Array.isArray(fields.resources) ? fields.resources : []
  const { namespace } = fields
  return {
    resources: resources.map((path: unknown, index) => ({
      path: String(path),
      at: position(nodeAt(positions, ['resources', index]).offset),
    })),
    ...(typeof namespace === 'string' && namespace !== '' ? { namespace } : {}),
  }
}
