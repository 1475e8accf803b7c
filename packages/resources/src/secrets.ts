import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Secret } from './kinds.js'
import type { Resource } from './types.js'

/*
 * Values of Secrets that are in no file: the manifests say by annotations which are to be made where they are used, by the local target
 * and for a cluster alike. What is made is kept by whoever asks; nothing here keeps or writes it.
 */

/** Comma-separated keys of a Secret whose values are made where it is used, so that they are in no file of the repository. */
export const generateAnnotation = 'bulkhead.dev/generate'
/** The same for keys whose value is an RSA private key, as PEM (PKCS#8). */
export const generateRsaAnnotation = 'bulkhead.dev/generate-rsa-key'
/**
 * Comma-separated keys of a Secret that are told to whoever starts the target, the one time that values of it are made: a
 * password that a person needs, and that nothing else shows.
 */
export const tellOnceAnnotation = 'bulkhead.dev/tell-once'
/**
 * Keys of a Secret whose values are public keys (SPKI, PEM) of private keys that other Secrets hold, so that no pair is in a
 * file of the repository. Comma-separated `[<key>=]<namespace>/<secret>/<private key>`; the key is `public-key.pem` unless
 * it is named.
 */
export const publicHalfAnnotation = 'bulkhead.dev/public-half-of'

/** The values of a Secret by key, as text. */
export type SecretTexts = Readonly<Record<string, string>>

/** How the value of a key is made. */
export interface Generator {
  readonly key: string
  readonly make: () => string
}

/** An annotation that cannot be followed. The message has the Secret, its line and why; no value. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
}

/** The keys that an annotation of a Secret lists. */
export function keysIn({ object }: Resource, annotation: string): readonly string[] {
  const keys = (object.metadata.annotations?.[annotation] ?? '').split(',').map((key) => key.trim())
  return keys.filter((key) => key !== '')
}

/** What the file gives: `data` decoded, and over it `stringData`. */
export function writtenTexts(secret: Resource): SecretTexts {
  const { data = {}, stringData = {} } = secret.object as Secret
  const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])
  return { ...Object.fromEntries(decoded), ...stringData }
}

/** What is to be made for a Secret: the keys that it asks for and does not give. */
export function generatorsOf(secret: Resource): readonly Generator[] {
  const written = writtenTexts(secret)
  const all = [
    ...keysIn(secret, generateAnnotation).map((key) => ({ key, make: randomText })),
    ...keysIn(secret, generateRsaAnnotation).map((key) => ({ key, make: rsaPrivateKey })),
  ]
  return all.filter(({ key }) => !Object.hasOwn(written, key))
}

/** Whether values of this object are made, or derived from one that is. */
export function valuesMade(resource: Resource): boolean {
  if (resource.kind !== 'Secret') return false
  const annotations = resource.object.metadata.annotations ?? {}
  return [generateAnnotation, generateRsaAnnotation, publicHalfAnnotation].some((one) =>
    Object.hasOwn(annotations, one),
  )
}

/** Letters and digits alone need no escape in a URL or a shell, and are base64 as the keyfile of a MongoDB has to be. */
const valueLength = 32
const rsaBits = 2048

/** Each of its characters is any of 62, equally likely: what base64 has beside them is left out. */
function randomText(): string {
  let text = ''
  while (text.length < valueLength)
    text += randomBytes(valueLength)
      .toString('base64')
      .replaceAll(/[^A-Za-z0-9]/g, '')
  return text.slice(0, valueLength)
}

const rsaPrivateKey = (): string =>
  generateKeyPairSync('rsa', {
    modulusLength: rsaBits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey

const defaultKey = 'public-key.pem'
const form = /^(?:([-._a-zA-Z0-9]+)=)?([^/=\s]+)\/([^/=\s]+)\/([-._a-zA-Z0-9]+)$/

/** The values of a Secret, written and made, by `Secret/namespace/name`; undefined when there is no such Secret. */
export type TextsOf = (id: string) => SecretTexts | undefined

/** @throws SecretError that names the Secret, its line and what is wrong with its annotation */
export function publicHalves(secret: Resource, textsOf: TextsOf): SecretTexts {
  const said = secret.object.metadata.annotations?.[publicHalfAnnotation]
  if (said === undefined) return {}
  return Object.fromEntries(said.split(',').map((one) => half(secret, one.trim(), textsOf)))
}

function half(secret: Resource, said: string, textsOf: TextsOf): readonly [string, string] {
  const wrong = (why: string) => {
    const { file, line } = secret.position(['metadata', 'annotations', publicHalfAnnotation])
    return new SecretError(`${file}:${line}: ${secret.id}: ${publicHalfAnnotation}: ${why}`)
  }
  const [, key = defaultKey, namespace, name, from = ''] = form.exec(said) ?? []
  if (namespace === undefined || name === undefined)
    throw wrong(`${JSON.stringify(said)} is not [<key>=]<namespace>/<secret>/<key of the private key>`)
  const texts = textsOf(`Secret/${namespace}/${name}`)
  if (texts === undefined) throw wrong(`there is no Secret ${namespace}/${name}`)
  const pem = Object.hasOwn(texts, from) ? texts[from] : undefined
  if (pem === undefined) {
    const known = Object.keys(texts).join(', ')
    throw wrong(`Secret ${namespace}/${name} has no key ${JSON.stringify(from)}; it has ${known || 'none'}`)
  }
  try {
    return [key, createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString()]
  } catch {
    // What the parser says may quote the value.
    throw wrong(`${JSON.stringify(from)} of Secret ${namespace}/${name} is no private key in PEM without a passphrase`)
  }
}
