import type { ConfigMap, Gateway, Resource } from '@bulkhead/resources'
import { parseDocument } from 'yaml'
import { CompileError } from '../compile-error.js'
import { namespaceOf, ofKind } from '../kinds.js'

type Fields = Readonly<Record<string, unknown>>

/** The keys of the ConfigMap that istiod knows; with any other it generates nothing. */
const overlayKeys = ['deployment', 'service', 'serviceAccount', 'horizontalPodAutoscaler', 'podDisruptionBudget']

/** Of a ConfigMap in istiod's own namespace: it is for every Gateway of that class. */
const classDefaults = 'gateway.istio.io/defaults-for-class'
const systemNamespace = 'istio-system'

type Key = 'service' | 'deployment' | 'serviceAccount'

/** What one ConfigMap lays over the generated objects. */
export interface Overlay {
  readonly of: Readonly<Record<Key, Fields>>
  /** The ConfigMap, for what is wrong in it. */
  readonly source: Resource<ConfigMap>
}

export type OverlayKey = keyof Overlay['of']

/**
 * Reads the ConfigMaps that are laid over what istiod generates, in this order: the one of the Gateway's class, and the
 * one that its parametersRef names. Each of their keys is a patch in YAML for one of the objects. Where istiod would
 * generate nothing (no such ConfigMap, a key it does not know), this is a CompileError.
 */
export function readOverlays(gateway: Resource<Gateway>, resources: readonly Resource[]): readonly Overlay[] {
  const { gatewayClassName } = gateway.object.spec
  // Of several istiod takes the oldest.
  const ofClass = ofKind<ConfigMap>(resources, '', 'ConfigMap').find(
    (one) => namespaceOf(one) === systemNamespace && one.object.metadata.labels?.[classDefaults] === gatewayClassName,
  )
  const own = parametersOf(gateway, resources)
  return [ofClass, own].filter((source) => source !== undefined).map(readOverlay)
}

function parametersOf(gateway: Resource<Gateway>, resources: readonly Resource[]): Resource<ConfigMap> | undefined {
  const reference = gateway.object.spec.infrastructure?.parametersRef
  if (reference === undefined) return undefined
  const path = ['spec', 'infrastructure', 'parametersRef']
  if ((reference.group ?? '') !== '' || reference.kind !== 'ConfigMap') {
    const kind = JSON.stringify(`${reference.group}/${reference.kind}`)
    throw new CompileError(gateway, path, `parametersRef is to a ${kind}; istiod takes a ConfigMap (group "") only`)
  }
  const namespace = namespaceOf(gateway)
  const found = ofKind<ConfigMap>(resources, '', 'ConfigMap').find(
    (candidate) => candidate.name === reference.name && namespaceOf(candidate) === namespace,
  )
  if (found !== undefined) return found
  const name = JSON.stringify(`${namespace}/${reference.name}`)
  throw new CompileError(gateway, [...path, 'name'], `there is no ConfigMap ${name}; istiod runs no gateway without it`)
}

/** A text is parsed once, and not with every change of a policy. */
const overlaysRead = new WeakMap<Resource<ConfigMap>, Overlay>()

function readOverlay(source: Resource<ConfigMap>): Overlay {
  const known = overlaysRead.get(source)
  if (known !== undefined) return known
  for (const key of Object.keys(source.object.data ?? {})) {
    if (overlayKeys.includes(key)) continue
    const known = overlayKeys.join(', ')
    throw new CompileError(source, ['data', key], `${JSON.stringify(key)} is no overlay of a gateway (${known})`)
  }
  const read: Overlay = {
    of: {
      service: overlay(source, 'service'),
      deployment: overlay(source, 'deployment'),
      serviceAccount: overlay(source, 'serviceAccount'),
    },
    source,
  }
  overlaysRead.set(source, read)
  return read
}

function overlay(source: Resource<ConfigMap>, key: string): Fields {
  const text = source.object.data?.[key]
  if (text === undefined) return {}
  const wrong = (what: string): never => {
    throw new CompileError(source, ['data', key], `the overlay ${JSON.stringify(key)} of a gateway ${what}`)
  }
  const value = read(text, (why) => wrong(`cannot be read: ${why}`)) ?? {}
  return isFields(value) ? value : wrong('must be one object')
}

/** Whatever the text is: what nests too deeply, or repeats itself endlessly, is refused like any other mistake. */
function read(text: string, refuse: (why: string) => never): unknown {
  let mistake: string | undefined
  try {
    const document = parseDocument(text, { prettyErrors: false })
    mistake = document.errors[0]?.message
    if (mistake === undefined) return document.toJS()
  } catch (error) {
    mistake = error instanceof Error ? error.message : String(error)
  }
  return refuse(mistake)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
