import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { Resource } from '@bulkhead/resources'
import { ClusterError } from './errors.js'

/**
 * Keys of a Secret whose values are public keys (SPKI, PEM) of private keys that other Secrets hold, so that no pair is in a
 * file of the repository. Comma-separated `[<key>=]<namespace>/<secret>/<private key>`; the key is `public-key.pem` unless
 * it is named.
 */
export const publicHalfAnnotation = 'bulkhead.dev/public-half-of'
const defaultKey = 'public-key.pem'
const form = /^(?:([-._a-zA-Z0-9]+)=)?([^/=\s]+)\/([^/=\s]+)\/([-._a-zA-Z0-9]+)$/

/** The values of a Secret, written and made; undefined when there is no such Secret. */
export type ValuesOf = (id: string) => Readonly<Record<string, string>> | undefined

/** @throws ClusterError `bad-pod` that names the Secret, its line and what is wrong with its annotation. */
export function publicHalves(secret: Resource, valuesOf: ValuesOf): Readonly<Record<string, string>> {
  const said = secret.object.metadata.annotations?.[publicHalfAnnotation]
  if (said === undefined) return {}
  return Object.fromEntries(said.split(',').map((one) => half(secret, one.trim(), valuesOf)))
}

function half(secret: Resource, said: string, valuesOf: ValuesOf): readonly [string, string] {
  const wrong = (why: string) => {
    const { file, line } = secret.position(['metadata', 'annotations', publicHalfAnnotation])
    return new ClusterError('bad-pod', `${file}:${line}: ${secret.id}: ${publicHalfAnnotation}: ${why}`)
  }
  const [, key = defaultKey, namespace, name, from = ''] = form.exec(said) ?? []
  if (namespace === undefined || name === undefined)
    throw wrong(`${JSON.stringify(said)} is not [<key>=]<namespace>/<secret>/<key of the private key>`)
  const values = valuesOf(`Secret/${namespace}/${name}`)
  if (values === undefined) throw wrong(`there is no Secret ${namespace}/${name}`)
  const pem = Object.hasOwn(values, from) ? values[from] : undefined
  if (pem === undefined) {
    const known = Object.keys(values).join(', ')
    throw wrong(`Secret ${namespace}/${name} has no key ${JSON.stringify(from)}; it has ${known || 'none'}`)
  }
  try {
    return [key, createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString()]
  } catch {
    // What the parser says may quote the value.
    throw wrong(`${JSON.stringify(from)} of Secret ${namespace}/${name} is no private key in PEM without a passphrase`)
  }
}
