import type { Resource } from '@bulkhead/resources'
import { type SecretTexts, valuesMade } from '@bulkhead/resources/secrets'
import type { Place } from '../place.js'
import { commandsFor } from '../plan/commands.js'
import { isRecord, textAt, valueAt } from '../target/live/plain.js'
import { parsed } from '../target/live/raw.js'
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

/**
 * One object is answered as itself, several as a list, none as nothing. What is neither is no answer: taken for none, the values that the
 * data behind them knows would be made anew.
 * @throws TargetError, Error
 */
function secretsIn(text: string): readonly { readonly name: string; readonly texts: SecretTexts }[] {
  if (text.trim() === '') return []
  const answer = parsed(text)
  const items = valueAt(answer, 'items') ?? [answer]
  return (Array.isArray(items) ? items : [undefined]).map((secret: unknown) => {
    const name = textAt(secret, 'metadata', 'name')
    if (name === undefined) throw new Error('kubectl was asked for Secrets and answered with something else')
    return { name, texts: textsOf(valueAt(secret, 'data')) }
  })
}

function textsOf(data: unknown): SecretTexts {
  if (!isRecord(data)) return {}
  return Object.fromEntries(
    Object.keys(data).map((key) => [key, Buffer.from(textAt(data, key) ?? '', 'base64').toString()]),
  )
}
