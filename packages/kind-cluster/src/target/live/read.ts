import { kubectlArgs, type Place } from '../../place.js'
import type { Command, Tools } from '../../tools.js'
import { TargetError } from '../errors.js'
import { readKinds } from './kinds.js'
import { itemsOf, type LiveObject } from './raw.js'

/** What is there now. */
export interface LiveRead {
  readonly objects: readonly LiveObject[]
  /** `namespace/name` of each Secret: what is in them is not read. */
  readonly secrets: ReadonlySet<string>
  /** The kinds that were read, as kubectl names them. */
  readonly kinds: readonly string[]
}

const readMs = 60_000

export function kubectl(place: Place, args: readonly string[], more: Partial<Command> = {}): Command {
  return { tool: 'kubectl', args: [...kubectlArgs(place), ...args], timeoutMs: readMs, ...more }
}

/** Runs it, and says what it said. @throws TargetError `kubectl` when it did not end with 0 */
export async function asked(tools: Tools, command: Command, signal?: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await tools.run(command, signal === undefined ? {} : { signal })
  if (code === 0) return stdout
  const said = stderr.trim().split('\n').slice(-3).join(' ') || 'it said nothing'
  const verb = command.args.find((word, at) => !word.startsWith('-') && !(command.args[at - 1] ?? '').startsWith('--'))
  throw new TargetError('kubectl', `kubectl ${verb ?? ''} did not work (${code ?? 'ended by a signal'}): ${said}`)
}

/** Three questions: which kinds are served, all objects of those that count, and the names of the Secrets. */
export async function readLive(tools: Tools, place: Place, signal?: AbortSignal): Promise<LiveRead> {
  const served = await asked(
    tools,
    kubectl(place, ['api-resources', '--verbs=list', '--no-headers', '-o', 'name']),
    signal,
  )
  const kinds = readKinds(served.split('\n').map((line) => line.trim()))
  const names = ['-o', 'custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name']
  const [objects, secrets] = await Promise.all([
    asked(tools, kubectl(place, ['get', kinds.join(','), '-A', '-o', 'json']), signal),
    asked(tools, kubectl(place, ['get', 'secrets', '-A', '--no-headers', ...names]), signal),
  ])
  return {
    objects: itemsOf(objects),
    secrets: new Set(secrets.split('\n').map((line) => line.trim().replace(/\s+/, '/'))),
    kinds,
  }
}
