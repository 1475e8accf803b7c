import { quote } from './diagnostics.js'
import { isObject } from './plain.js'
import { printable } from './printable.js'
import { type ReadOptions, readObject } from './read-object.js'
import type { Diagnostic, Position, Resource } from './types.js'
import { parseYaml } from './yaml/documents.js'
import { nodeAt, type PositionNode } from './yaml/positions.js'

export interface ParseOptions {
  /** The folder under `layers/` that the objects belong to. */
  readonly layer?: string
  /** A kustomization's `namespace:`, put over the objects' own. */
  readonly namespace?: string
}

export interface ParseResult {
  /** The objects without a mistake in them, in the order of the text. */
  readonly resources: readonly Resource[]
  /** Everything that is wrong, errors and warnings. */
  readonly diagnostics: readonly Diagnostic[]
}

/** A file of rubbish could have a mistake in every line; nobody reads the thousandth. */
const MAX_DIAGNOSTICS = 1_000

/**
 * Manifests as text to objects, each held against the schema of its kind. Several documents, `kind: List` is
 * flattened, empty documents are skipped. Never throws: bad input is in `diagnostics`. Objects are read one by one;
 * what is between them (duplicates, references) is for `checkDuplicates` and `checkReferences`.
 *
 * @param file the name that positions carry
 */
export function parseManifests(text: string, file: string, options: ParseOptions = {}): ParseResult {
  const diagnostics: Diagnostic[] = []
  const yaml = parseYaml(text)
  const position = (offset: number): Position => ({ file, ...yaml.place(offset) })
  const add = (diagnostic: Diagnostic) => {
    if (diagnostics.length < MAX_DIAGNOSTICS)
      diagnostics.push({ ...diagnostic, message: printable(diagnostic.message) })
  }
  for (const { code, message, offset } of yaml.problems) add({ severity: 'error', code, message, at: position(offset) })

  const read: ReadOptions = { position, add, ...options }
  const resources = yaml.documents.flatMap(({ value, positions }) => readDocument(value, positions, read))
  return { resources, diagnostics }
}

function readDocument(value: unknown, positions: PositionNode, read: ReadOptions): Resource[] {
  if (value === null) return []
  const fail = (code: string, message: string, node = positions): Resource[] => {
    read.add({ severity: 'error', code, message, at: read.position(node.offset) })
    return []
  }
  if (!isObject(value)) {
    return fail(
      'object.not-kubernetes',
      `this is ${Array.isArray(value) ? 'a list' : quote(value)}, and no Kubernetes object; one has apiVersion, kind and metadata`,
    )
  }
  const { apiVersion, kind } = value
  if (typeof apiVersion !== 'string' || apiVersion === '' || typeof kind !== 'string' || kind === '') {
    return fail(
      'object.not-kubernetes',
      notKubernetes(value),
      nodeAt(positions, [typeof apiVersion === 'string' ? 'apiVersion' : 'kind']),
    )
  }
  // They become part of the object's id, and of what is printed.
  for (const [field, name] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    if (!/^[A-Za-z0-9./-]+$/.test(name) || (field === 'kind' && !/^[A-Za-z][A-Za-z0-9]*$/.test(name)))
      return fail(
        'object.not-kubernetes',
        `${quote(name)} is no ${field} that Kubernetes takes`,
        nodeAt(positions, [field]),
      )
  }
  if (apiVersion.startsWith('kustomize.config.k8s.io/')) {
    return fail(
      'object.kustomization',
      `a ${kind} stands among the manifests; it is read as one only in a file named kustomization.yaml`,
    )
  }
  if (!kind.endsWith('List') || (apiVersion !== 'v1' && !Array.isArray(value.items))) {
    const resource = readObject(value, positions, read)
    return resource === undefined ? [] : [resource]
  }
  const { items } = value
  if (items === null || items === undefined) return []
  if (!Array.isArray(items)) return fail('field.type', `${kind}: items must be a list`, nodeAt(positions, ['items']))
  return items.flatMap((item: unknown, index) => readDocument(item, nodeAt(positions, ['items', index]), read))
}

function notKubernetes(value: Record<string, unknown>): string {
  const has = (name: string) => value[name] !== undefined && value[name] !== null && value[name] !== ''
  const missing = ['apiVersion', 'kind'].filter((name) => !has(name) || typeof value[name] !== 'string')
  const wrong = missing.filter(has)
  const cause = has('services')
    ? 'it looks like a file for Docker Compose'
    : value.apiVersion === 'v2' || value.apiVersion === 'v1'
      ? 'if it is a Helm chart, render it with `helm template` first'
      : 'if it holds values for Helm, keep it out of the folder of manifests'
  return wrong.length > 0
    ? `${wrong.join(' and ')} must be text, and is ${wrong.map((name) => quote(value[name])).join(' and ')}`
    : `no ${missing.join(' and no ')}, so this is no Kubernetes object; ${cause}`
}
