import type { Resource, Secret } from '@bulkhead/resources'
import {
  generatorsOf,
  keysIn,
  publicHalves,
  type SecretTexts,
  tellOnceAnnotation,
  valuesMade,
  writtenTexts,
} from '@bulkhead/resources/secrets'

/** What Secrets hold on the cluster, by `namespace/name`; one that is not there is missing. */
export type LiveSecrets = ReadonlyMap<string, SecretTexts>

/** What a person has to know, once. */
export interface Told {
  /** `namespace/name` */
  readonly secret: string
  readonly values: readonly { readonly key: string; readonly value: string }[]
}

export interface MadeSecrets {
  /** Manifests for `kubectl apply --server-side`: each Secret as its file has it, and with the values that no file has. Empty when there are none. */
  readonly text: string
  /** `namespace/name` of those of which a value is new; nobody has been told them yet. */
  readonly fresh: readonly string[]
}

/**
 * The values that Secrets of the manifests ask for. What the cluster has counts, since the data behind it knows no other; so nothing is
 * kept on this machine. Values that are there are in the text as well, so that whose fields they are stays the same.
 * @throws SecretError when an annotation cannot be followed
 */
export function makeSecrets(resources: readonly Resource[], live: LiveSecrets): MadeSecrets {
  const asked = resources.filter(valuesMade)
  const fresh: string[] = []
  const own = new Map<string, SecretTexts>()
  for (const secret of asked) {
    const there = live.get(keyOf(secret)) ?? {}
    const wanted = generatorsOf(secret)
    const made = wanted.map(({ key, make }) => [key, present(there, key) ?? make()] as const)
    if (wanted.some(({ key }) => present(there, key) === undefined)) fresh.push(keyOf(secret))
    own.set(secret.id, Object.fromEntries(made))
  }
  const textsOf = (id: string): SecretTexts | undefined => {
    const secret = resources.find((one) => one.id === id)
    return secret && { ...own.get(id), ...writtenTexts(secret) }
  }
  const manifests = asked.map((secret) => manifest(secret, { ...publicHalves(secret, textsOf), ...own.get(secret.id) }))
  // The line comes before the first one too: kubectl takes a text that begins with "{" for JSON, and kubectl 1.32 fails at the next line.
  return { text: manifests.map((one) => `---\n${one}\n`).join(''), fresh }
}

/** What is to be told of Secrets that have just been made, by what the cluster has. */
export function toTell(resources: readonly Resource[], live: LiveSecrets, secrets: readonly string[]): readonly Told[] {
  return resources.flatMap((secret) => {
    if (secret.kind !== 'Secret' || !secrets.includes(keyOf(secret))) return []
    const there = live.get(keyOf(secret)) ?? {}
    const values = keysIn(secret, tellOnceAnnotation).map((key) => ({ key, value: there[key] ?? '' }))
    return values.length === 0 ? [] : [{ secret: keyOf(secret), values }]
  })
}

const keyOf = ({ namespace = '', name }: Resource): string => `${namespace}/${name}`

/** An empty value is what a Secret without one looks like to a pod. */
function present(texts: SecretTexts, key: string): string | undefined {
  const value = Object.hasOwn(texts, key) ? texts[key] : undefined
  return value === '' ? undefined : value
}

/**
 * JSON is YAML: nothing in a value can end a line or begin another key. With all that its file says of it: kubectl hands what an earlier
 * apply of the file has written over to this one, and takes away what of it is not here.
 */
function manifest(secret: Resource, made: SecretTexts): string {
  const { data: _, stringData: __, metadata, ...rest } = secret.object as Secret
  const data = Object.fromEntries(
    Object.entries({ ...writtenTexts(secret), ...made }).map(([key, text]) => [
      key,
      Buffer.from(text).toString('base64'),
    ]),
  )
  return JSON.stringify({ ...rest, metadata: { ...metadata, namespace: secret.namespace }, data })
}
