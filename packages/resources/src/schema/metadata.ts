import { quote, type Report } from '../diagnostics.js'
import { isDnsLabel, isDnsSubdomain, isLabelKey, isLabelValue } from './names.js'
import { boolean, integer, list, map, object, open, string } from './schema.js'

/** metadata of every kind, as meta/v1 ObjectMeta has it. */
export const objectMeta = object({
  name: string(),
  generateName: string(),
  namespace: string(),
  labels: map(string()),
  annotations: map(string()),
  creationTimestamp: string(),
  deletionTimestamp: string(),
  deletionGracePeriodSeconds: integer,
  finalizers: list(string()),
  generation: integer,
  managedFields: list(open),
  ownerReferences: list(
    object(
      {
        apiVersion: string(),
        blockOwnerDeletion: boolean,
        controller: boolean,
        kind: string(),
        name: string(),
        uid: string(),
      },
      { required: ['apiVersion', 'kind', 'name', 'uid'] },
    ),
  ),
  resourceVersion: string(),
  selfLink: string(),
  uid: string(),
})

/** Kinds whose name becomes a DNS label (a host name, or a part of one). */
const LABEL_NAMES = new Set(['Namespace', 'Service'])

/**
 * What the API server checks of metadata by code, not by schema: the forms of names and labels. Expects metadata that
 * has the right types; says nothing of what is missing or of another type.
 */
export function checkMetadata(
  kind: string,
  group: string,
  metadata: Readonly<Record<string, unknown>>,
  report: Report,
): void {
  const { name, namespace, labels } = metadata
  // RBAC names may be anything that fits into a URL's path: system:node is one.
  if (typeof name === 'string' && name !== '' && group !== 'rbac.authorization.k8s.io') {
    const label = LABEL_NAMES.has(kind)
    if (!(label ? isDnsLabel(name) : isDnsSubdomain(name))) {
      const form = label ? 'at most 63 of a-z, 0-9 and "-"' : 'at most 253 of a-z, 0-9, "-" and "."'
      report(
        'error',
        'object.name',
        ['metadata', 'name'],
        `metadata.name ${quote(name)} is not a name that Kubernetes takes: ${form}, with a letter or digit at both ends`,
      )
    }
  }
  if (typeof namespace === 'string' && !isDnsLabel(namespace)) {
    report(
      'error',
      'object.name',
      ['metadata', 'namespace'],
      `metadata.namespace ${quote(namespace)} is not a namespace's name: at most 63 of a-z, 0-9 and "-"`,
    )
  }
  if (typeof labels === 'object' && labels !== null) checkLabels(labels, ['metadata', 'labels'], report)
}

export function checkLabels(labels: object, path: readonly (string | number)[], report: Report): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!isLabelKey(key))
      report('error', 'label.form', [...path, key], `the label key ${quote(key)} is not one that Kubernetes takes`)
    if (typeof value === 'string' && !isLabelValue(value)) {
      report(
        'error',
        'label.form',
        [...path, key],
        `the value ${quote(value)} of the label ${quote(key)} is not one that Kubernetes takes: at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends`,
      )
    }
  }
}
