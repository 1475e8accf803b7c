import type { Style } from '../style.js'
import { groupOf, type ObjectDone } from './change.js'

/** What became of an object, as kubectl says it: `authorizationpolicy.security.istio.io/allow-nothing created`. */
export function doneText({ id, object, done }: ObjectDone, style: Style): string {
  const group = groupOf(object)
  const kind = `${object.kind.toLowerCase()}${group === '' ? '' : `.${group}`}`
  const { name, namespace } = object.metadata
  if (done === 'not found') return style.yellow(`${id} is not in force, so it cannot be deleted`)
  if (done !== 'deleted') return `${kind}/${name} ${done}`
  return `${kind} ${JSON.stringify(name)} deleted${namespace === undefined ? '' : ` from ${namespace} namespace`}`
}
