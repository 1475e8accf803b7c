import { isDeepStrictEqual } from 'node:util'
import type { KubernetesObject } from '@bulkhead/resources'
import { addedByServer } from './defaults.js'
import { isRecord } from './plain.js'
import { sameQuantity } from './quantity.js'
import { groupOf, type LiveObject, written } from './raw.js'

/** Groups whose objects go through Go's types: what is empty in them is left out when they are written. */
const builtIn = /^(|apps|batch|policy|autoscaling|([a-z.]+\.)?k8s\.io)$/
const ownDefinitions = 'gateway.networking.k8s.io'

/**
 * Whether a live object is what its file says, but for what the API server adds by itself: a default that is not known here
 * counts as a difference, since the live object is then judged as it is.
 */
export function sameAsWritten(file: KubernetesObject, live: LiveObject): boolean {
  const group = groupOf(file)
  if (group !== groupOf(live) || file.kind !== live.kind) return false
  const context = { group, kind: file.kind, dropsEmpty: builtIn.test(group) && group !== ownDefinitions }
  const { metadata, ...rest } = written(live)
  const { metadata: own, ...said } = file
  return (
    sameMaps(own.labels, metadata.labels, addedLabel) &&
    sameMaps(own.annotations, metadata.annotations, addedAnnotation) &&
    same({ ...said, apiVersion: '' }, { ...rest, apiVersion: '' }, '', context)
  )
}

interface Context {
  readonly group: string
  readonly kind: string
  readonly dropsEmpty: boolean
}

function same(file: unknown, live: unknown, path: string, context: Context): boolean {
  if (isRecord(file) && isRecord(live)) {
    const names = new Set([...Object.keys(file), ...Object.keys(live)])
    return [...names].every((name) => {
      const at = path === '' ? name : `${path}.${name}`
      const [mine, theirs] = [file[name], live[name]]
      if (mine === undefined || mine === null)
        return theirs === undefined || theirs === null || addedByServer(at, theirs, { ...context, file, live })
      if (theirs === undefined) return context.dropsEmpty && isEmpty(mine)
      return same(mine, theirs, at, context)
    })
  }
  if (Array.isArray(file) && Array.isArray(live))
    return file.length === live.length && file.every((one, at) => same(one, live[at], `${path}[]`, context))
  return isDeepStrictEqual(file, live) || sameQuantity(path, file, live)
}

/** What `omitempty` leaves out. */
function isEmpty(value: unknown): boolean {
  if (value === '' || value === false || value === 0) return true
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}

type Texts = Readonly<Record<string, string>> | undefined

function sameMaps(file: Texts = {}, live: Texts = {}, added: (name: string) => boolean): boolean {
  const names = new Set([...Object.keys(file), ...Object.keys(live)])
  return [...names].every((name) => file[name] === live[name] || (file[name] === undefined && added(name)))
}

const addedLabel = (name: string): boolean => name === 'kubernetes.io/metadata.name' || name === 'bulkhead.dev/change'

/** Annotations that controllers write on what they look after. */
const addedAnnotation = (name: string): boolean =>
  /^(deployment\.kubernetes\.io\/|deprecated\.daemonset\.template\.generation$|pv\.kubernetes\.io\/|volume\.(beta\.)?kubernetes\.io\/|gateway\.istio\.io\/controller-version$)/.test(
    name,
  )
