import { selectorMatches } from '@bulkhead/resources/selectors'
import { madeByControllers } from '../../controllers.js'
import { CelError, CelUnknownError } from '../errors.js'
import type { Frame } from '../frame.js'
import { define } from '../registry.js'
import { entry, keysOf, Message, type Plain } from '../values.js'

/* Kyverno's own libraries: objects of the cluster, and who a user is (kyverno/sdk, extensions/cel/libs). */

function cluster(frame: Frame): NonNullable<Frame['review']> {
  if (frame.review === undefined) throw new CelError('no cluster to look in')
  return frame.review
}

/** What is not among the written objects may be there all the same. */
function written(apiVersion: string, resource: string): void {
  const what = madeByControllers(apiVersion, resource)
  if (what !== undefined) throw new CelUnknownError(what)
}

/** `pods/log`: subresources are nothing that a manifest holds. */
function plain(resource: string): string {
  if (resource.includes('/')) throw new CelError(`failed to get resource: subresources are not modelled: ${resource}`)
  return resource
}

for (const name of ['resource.Get', 'resource.get']) {
  define(name, ['string', 'string', 'string', 'string'], 'map', ([apiVersion, resource, namespace, wanted], frame) => {
    const found = cluster(frame).get(apiVersion, plain(resource), namespace, wanted)
    if (found === undefined) written(apiVersion, resource)
    // What is not there is null, and no error; to be compared with null it has to be dyn() first.
    return found ?? null
  })
}

for (const name of ['resource.List', 'resource.list']) {
  define(name, ['string', 'string', 'string'], 'map', ([apiVersion, resource, namespace], frame) =>
    listed(frame, apiVersion, resource, namespace, {}),
  )
  define(name, ['string', 'string', 'string', 'map'], 'map', ([apiVersion, resource, namespace, labels], frame) => {
    const wanted = keysOf(labels).map((key) => [String(key), String(entry(labels, key))] as const)
    return listed(frame, apiVersion, resource, namespace, Object.fromEntries(wanted))
  })
}

function listed(
  frame: Frame,
  apiVersion: string,
  resource: string,
  namespace: string,
  matchLabels: Readonly<Record<string, string>>,
): Plain {
  written(apiVersion, resource)
  const all = cluster(frame).list(apiVersion, plain(resource), namespace)
  frame.budget.spend(all.length)
  const items = all.filter((object) => selectorMatches({ matchLabels }, labelsOf(object)))
  return { apiVersion, items, metadata: {} }
}

function labelsOf(object: Plain): Readonly<Record<string, string>> {
  const metadata = object.metadata as { readonly labels?: Readonly<Record<string, string>> } | undefined
  return metadata?.labels ?? {}
}

const PREFIX = 'system:serviceaccount:'

for (const name of ['parseServiceAccount', 'user.parseServiceAccount']) {
  define(name, ['string'], 'dyn', ([user]) => {
    const [namespace, ...rest] = user.startsWith(PREFIX) ? user.slice(PREFIX.length).split(':') : []
    const isAccount = rest.length > 0
    return new Message(
      'user.ServiceAccount',
      new Map([
        ['Name', isAccount ? rest.join(':') : ''],
        ['Namespace', isAccount ? (namespace ?? '') : ''],
      ]),
    )
  })
}
