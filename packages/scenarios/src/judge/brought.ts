import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatDiagnostic, parseManifests, type Resource } from '@bulkhead/resources'
import type { Scenario } from '../types.js'

/** A scenario, as far as it changes what is in force. */
export type Brings = { readonly [part in 'given' | 'change']?: Scenario[part] | undefined }

/** The objects of a manifest file that a scenario names. */
export type Brought = (file: string) => readonly Resource[]

const filesOf = ({ given, change }: Brings): readonly string[] => [
  ...(given?.manifests ?? []),
  ...(change?.manifests ?? []),
]

/** What a scenario adds, or puts in the place of what has its name; before and during. */
export function broughtBy(brings: Brings, brought: Brought): readonly Resource[] {
  return filesOf(brings).flatMap(brought)
}

/**
 * Reads every manifest file that scenarios name, each once.
 * @param root the folder that holds `scenarios/`
 * @throws what is wrong with one, as file:line:column
 */
export async function readBrought(scenarios: readonly Brings[], root: string): Promise<Brought> {
  const files = [...new Set(scenarios.flatMap(filesOf))]
  const read = new Map(await Promise.all(files.map(async (file) => [file, await readOne(file, root)] as const)))
  return (file) => {
    const resources = read.get(file)
    if (resources === undefined) throw new Error(`${file} has not been read: no scenario of those named it`)
    return resources
  }
}

async function readOne(file: string, root: string): Promise<readonly Resource[]> {
  const { resources, diagnostics } = parseManifests(await readFile(join(root, file), 'utf8'), file)
  if (diagnostics.length > 0) throw new Error(diagnostics.map(formatDiagnostic).join('\n'))
  return resources
}
