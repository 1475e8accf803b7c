import { didYouMean } from '@bulkhead/resources/suggest'
import { loops } from './macros.js'
import { findFunction, functionNames } from './registry.js'

/*
 * Functions that a cluster has and that are not modelled here, and what is said of one that no cluster has. Names as in the registry:
 * `.name` for one with a receiver.
 */

/** Of CEL and of Kubernetes: wherever there are expressions (cel-go v0.26 `ext`, k8s.io/apiserver `pkg/cel/library`). */
const everywhere: ReadonlySet<string> = new Set([
  ...['optional.unwrap', '.unwrapOpt', 'optional.unwrapOpt', '.sortBy', '.transformMapEntry'],
  ...['regex.replace', 'regex.extractAll', 'proto.getExt', 'proto.hasExt', 'cel.block'],
  ...['qualifiedName', 'dns1123LabelPrefix', 'dns1123SubdomainPrefix', 'dns1035LabelPrefix', 'uri', 'byte', 'date'].map(
    (name) => `format.${name}`,
  ),
  'format.datetime',
])

/** By the name of their library among the foreign names (kyverno/sdk `extensions/cel/libs`; Kubernetes' `authorizer`). */
const libraries: Readonly<Record<string, readonly string[]>> = {
  authorizer: [
    ...['authorizer.path', 'authorizer.group', 'authorizer.serviceAccount'],
    ...['.group', '.path', '.serviceAccount', '.resource', '.subresource', '.namespace', '.name', '.check'],
    ...['.allowed', '.reason', '.error', '.errored', '.fieldSelector', '.labelSelector'],
  ],
  globalContext: ['globalContext.Get', 'globalContext.get'],
  gzip: ['gzip.compress', 'gzip.decompress'],
  hash: ['md5', 'sha1', 'sha256', 'hash.md5', 'hash.sha1', 'hash.sha256'],
  http: ['Get', 'Post', 'Client', 'get', 'post', 'client'].flatMap((name) => [`http.${name}`, `.${name}`]),
  image: ['image.GetMetadata', 'image.getMetadata'],
  json: ['json.marshal', 'json.unmarshal'],
  random: ['random', 'random.random'],
  resource: ['Post', 'ToGVR', 'post', 'toGVR'].map((name) => `resource.${name}`),
  time: ['time.now', 'time.toCron', 'time.truncate'],
  transform: ['listObjToMap', 'transform.listObjToMap'],
  x509: ['x509.decode'],
  yaml: ['yaml.parse'],
}

function unmodelled(foreign: ReadonlySet<string>): readonly string[] {
  return [...everywhere, ...[...foreign].flatMap((library) => libraries[library] ?? [])]
}

/** Whether a cluster has this function, though it is not modelled. */
export function isUnmodelled(name: string, foreign: ReadonlySet<string> = new Set()): boolean {
  return unmodelled(foreign).includes(name)
}

/** What cel-go's checker says of a function that is nowhere, and which one was meant. */
export function undeclaredFunction(name: string, count: number, foreign: ReadonlySet<string> = new Set()): string {
  const isMember = name.startsWith('.')
  const bare = name.replace(/^\./, '')
  if (isMember ? loops.has(bare) : bare === 'has') {
    return `found no matching overload for '${bare}' with ${count} arguments`
  }
  if (findFunction(isMember ? bare : `.${bare}`) !== undefined) {
    const written = isMember ? `${bare}(x)` : `x.${bare}(...)`
    return `found no matching overload for '${bare}': it is written ${written}`
  }
  const known = [...functionNames(), ...unmodelled(foreign)]
  const alike = known.flatMap((one) => (one.startsWith('.') === isMember ? [one.replace(/^\./, '')] : []))
  return `undeclared reference to '${bare}'${didYouMean(bare, isMember ? [...alike, ...loops] : [...alike, 'has'])}`
}
