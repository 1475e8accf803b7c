/*
 * Which lists of Kubernetes' own kinds are merged item by item, and by what their items are told apart. Any other list is
 * one value, which a patch replaces whole.
 */

type Keys = readonly string[]

const byName: Keys = ['name']
const containerFields: Readonly<Record<string, Keys>> = {
  env: byName,
  // Two protocols may have the same number; TCP where none is said.
  ports: ['containerPort', 'protocol'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
}

const podFields: Readonly<Record<string, Keys>> = {
  containers: byName,
  initContainers: byName,
  ephemeralContainers: byName,
  volumes: byName,
  imagePullSecrets: byName,
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  resourceClaims: byName,
  schedulingGates: byName,
}

const accountFields: Readonly<Record<string, Keys>> = { secrets: byName, imagePullSecrets: byName }

/** By the field that the list's owner stands in. */
const owners: Readonly<Record<string, Readonly<Record<string, Keys>>>> = {
  containers: containerFields,
  initContainers: containerFields,
  ephemeralContainers: containerFields,
  spec: podFields,
  metadata: { ownerReferences: ['uid'] },
  status: { conditions: ['type'], podIPs: ['ip'], hostIPs: ['ip'] },
}

/** The keys of a list's items; undefined where it is replaced as a whole. */
export function itemKeys(kind: string, owner: string, field: string): Keys | undefined {
  if (owner === '') return kind === 'ServiceAccount' ? own(accountFields, field) : undefined
  if (owner === 'spec' && field === 'ports') return kind === 'Service' ? ['port', 'protocol'] : undefined
  const fields = own(owners, owner)
  return fields === undefined ? undefined : own(fields, field)
}

/** Lists of plain values that a patch adds to. */
export const isSet = (owner: string, field: string): boolean => owner === 'metadata' && field === 'finalizers'

/** Objects that are one value to a server-side apply: whoever says one field says all. */
const wholeObjects = new Set([
  ...['nodeSelector', 'selector', 'labelSelector', 'namespaceSelector', 'podSelector', 'nodeSelectorTerms'],
  ...['configMapKeyRef', 'secretKeyRef', 'fieldRef', 'resourceFieldRef', 'claimRef', 'fileKeyRef'],
])

/** A Service's selector is a plain map, and atomic all the same. */
export const isWhole = (field: string): boolean => wholeObjects.has(field)

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** What tells an item from the others; undefined where a key is missing. */
export function identity(item: unknown, keys: Keys): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const values = keys.map((key) => {
    const value: unknown = Object.getOwnPropertyDescriptor(item, key)?.value
    return value ?? defaults[key]
  })
  return values.some((value) => value === undefined) ? undefined : JSON.stringify(values.map(String))
}

const defaults: Readonly<Record<string, string>> = { protocol: 'TCP' }
