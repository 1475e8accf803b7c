import type { Resource } from '@bulkhead/resources'
import { type SecretTexts, valuesMade } from '@bulkhead/resources/secrets'
import type { Place } from '../place.js'
import { commandsFor } from '../plan/commands.js'
import type { RunOptions, Tools } from '../tools.js'
import type { LiveSecrets } from './cluster-secrets.js'

/** The Secrets of the manifests as the cluster has them, one question for each namespace. @throws Error when it does not answer */
export async function readSecrets(
  tools: Tools,
  place: Place,
  resources: readonly Resource[],
  options: RunOptions = {},
): Promise<LiveSecrets> {
  const { kubectl } = commandsFor(place)
  const found = new Map<string, SecretTexts>()
  const asked = resources.filter(valuesMade)
  for (const namespace of new Set(asked.map((secret) => secret.namespace ?? ''))) {
    const names = asked.flatMap((secret) => (secret.namespace === namespace ? [secret.name] : []))
    const args = ['--namespace', namespace, 'get', 'secrets', ...names, '--ignore-not-found', '--output', 'json']
    const { code, stdout, stderr } = await tools.run(kubectl(args, { secret: true }), options)
    if (code !== 0) throw new Error(`the Secrets of namespace ${namespace} cannot be read: ${stderr.trim()}`)
    for (const { name, texts } of secretsIn(stdout)) found.set(`${namespace}/${name}`, texts)
  }
  return found
}

interface Live {
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
}

/** One object is answered as itself, several as a list, none as nothing. */
function secretsIn(text: string): readonly { readonly name: string; readonly texts: SecretTexts }[] {
  if (text.trim() === '') return []
  const answer = JSON.parse(text) as Live | { readonly items: readonly Live[] }
  const items = 'items' in answer ? answer.items : [answer]
  return items.map(({ metadata, data = {} }) => ({
    name: metadata.name,
    texts: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    ),
  }))
}
