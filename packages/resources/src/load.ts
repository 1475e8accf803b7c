import { resolve, sep } from 'node:path'
import { inFileOrder, ManifestError } from './diagnostics.js'
import { checkDuplicates } from './duplicates.js'
import { Collector, type Source } from './files/collect.js'
import { readText, Unreadable } from './files/read-text.js'
import { type ParseOptions, type ParseResult, parseManifests } from './parse.js'
import { checkReferences } from './references/references.js'
import type { Diagnostic, LoadResult, Resource } from './types.js'

export interface LoadOptions {
  /**
   * What the files' names are relative to: a folder, or one for each of the paths that were named. Default: the
   * working directory.
   */
  readonly relativeTo?: string | ((path: string) => string)
}

/**
 * Reads manifests from files and folders. A folder with a kustomization.yaml is read as kustomize would (its
 * `resources` and `namespace`; any other transformer is an error); any other folder is searched for *.yaml and *.yml,
 * in sorted order, its sub-folders alike. Several paths are a union. Every object is held against the schema of its
 * kind, and all of them against each other.
 *
 * @returns the objects, in the order of the files, and what is likely wrong
 * @throws ManifestError with every mistake that was found, not only the first
 */
export async function loadManifests(paths: readonly string[], options: LoadOptions = {}): Promise<LoadResult> {
  const { relativeTo = process.cwd() } = options
  const collector = new Collector()
  for (const path of paths) {
    await collector.addPath(path, resolve(typeof relativeTo === 'string' ? relativeTo : relativeTo(path)))
  }

  const diagnostics: Diagnostic[] = [...collector.diagnostics]
  const resources: Resource[] = []
  const { sources } = collector
  for (let start = 0; start < sources.length; start += AT_ONCE) {
    const some = sources.slice(start, start + AT_ONCE)
    const texts = await Promise.all(some.map(({ path }) => textOf(path)))
    for (const [index, source] of some.entries()) {
      const read = readSource(source, texts[index] ?? '')
      resources.push(...read.resources)
      diagnostics.push(...read.diagnostics)
    }
  }
  diagnostics.push(...checkDuplicates(resources))
  // With objects missing that could not be read, references to them would be reported as a second mistake.
  if (!diagnostics.some(isError)) diagnostics.push(...checkReferences(resources))

  const sorted = inFileOrder(diagnostics)
  const warnings = sorted.filter((diagnostic) => !isError(diagnostic))
  if (warnings.length < sorted.length) throw new ManifestError(sorted.filter(isError), warnings)
  return { resources, warnings }
}

/** Files whose texts are waited for together: each takes several calls of the system. */
const AT_ONCE = 8

const textOf = (path: string): Promise<string | Unreadable> =>
  readText(path).catch((error: unknown) => {
    if (error instanceof Unreadable) return error
    throw error
  })

function readSource({ path, file, namespace }: Source, text: string | Unreadable): ParseResult {
  if (typeof text !== 'string') {
    const at = { file, line: 1, column: 1 }
    return {
      resources: [],
      diagnostics: [{ severity: 'error', code: text.code, message: `${JSON.stringify(file)}: ${text.message}`, at }],
    }
  }
  const layer = layerOf(path)
  return parseOnce(text, file, {
    ...(layer === undefined ? {} : { layer }),
    ...(namespace === undefined ? {} : { namespace }),
  })
}

/** What files said when they were read last, by all that it depends on. */
const parsed = new Map<string, { readonly text: string; readonly result: ParseResult }>()
/** Of more files than these the oldest are forgotten. */
const mostParsed = 1_000

/** A save changes one file of a hundred, and all of them are read again: what has not changed is not parsed again. */
function parseOnce(text: string, file: string, options: ParseOptions): ParseResult {
  const key = JSON.stringify([file, options.layer, options.namespace])
  const known = parsed.get(key)
  if (known?.text === text) return known.result
  const result = parseManifests(text, file, options)
  parsed.delete(key)
  parsed.set(key, { text, result })
  const [oldest] = parsed.keys()
  if (oldest !== undefined && parsed.size > mostParsed) parsed.delete(oldest)
  return result
}

/** `50-identity` of `.../layers/50-identity/shop/web-api.yaml`. */
export function layerOf(path: string): string | undefined {
  const parts = resolve(path).split(sep)
  const layer = parts[parts.lastIndexOf('layers') + 1]
  return parts.includes('layers') && layer !== undefined && /^\d\d-/.test(layer) && layer !== parts.at(-1)
    ? layer
    : undefined
}

const isError = (diagnostic: Diagnostic): boolean => diagnostic.severity === 'error'
