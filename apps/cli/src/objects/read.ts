import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Resource } from '@bulkhead/resources'
import type { Change } from '@bulkhead/scenarios'
import { CliError, type Io } from '../io.js'

/** One object of the files that were named, and the change that puts it in force. */
export interface Given {
  readonly resource: Resource
  readonly change: Change
}

/**
 * The objects of files and folders, in order, each with its own manifest text. Nothing is judged here but their form.
 * @param root what `file:line` is relative to
 * @param then what a mistake means to whoever asked
 * @throws CliError with every mistake, as file:line:column
 */
async function readObjects(
  paths: readonly string[],
  io: Pick<Io, 'cwd'>,
  root: string,
  then = 'nothing was changed',
): Promise<readonly Given[]> {
  const { loadManifests, ManifestError, parseManifests } = await import('@bulkhead/resources')
  const absolute = paths.map((given) => existing(given, io))
  try {
    const { resources } = await loadManifests(absolute, { relativeTo: root })
    const texts = new Map<string, readonly string[]>()
    const linesOf = (file: string): readonly string[] => {
      const known = texts.get(file) ?? linesIn(readFileSync(path.resolve(root, file), 'utf8'))
      texts.set(file, known)
      return known
    }
    return resources.map((resource) => givenAs(resource, linesOf, parseManifests))
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error
    throw new CliError(`${then}:\n${error.message}`)
  }
}

/** The objects that `-f` names: of files, of folders, and of stdin where one is `-`. As readObjects and readPiped have it. */
export async function readNamed(
  names: readonly string[],
  io: Pick<Io, 'cwd' | 'stdin'>,
  root: string,
  then = 'nothing was changed',
): Promise<readonly Given[]> {
  const files = names.filter((name) => name !== '-')
  return [
    ...(files.length < names.length ? await readPiped(io, then) : []),
    ...(files.length > 0 ? await readObjects(files, io, root, then) : []),
  ]
}

/** The same of what is read from stdin, whose lines are said to be those of `-`. */
async function readPiped(io: Pick<Io, 'stdin'>, then: string): Promise<readonly Given[]> {
  const { ManifestError, parseManifests } = await import('@bulkhead/resources')
  const chunks: Buffer[] = []
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk as Buffer | string))
  const text = Buffer.concat(chunks).toString()
  const { resources, diagnostics } = parseManifests(text, '-')
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error')
  if (mistakes.length > 0) throw new CliError(`${then}:\n${new ManifestError(mistakes, []).message}`)
  return resources.map((resource) => givenAs(resource, () => linesIn(text), parseManifests))
}

const linesIn = (text: string): readonly string[] => text.split(/\r\n|\r|\n/)

function givenAs(
  resource: Resource,
  linesOf: (file: string) => readonly string[],
  parse: typeof import('@bulkhead/resources').parseManifests,
): Given {
  const { file, line } = resource.position([])
  const text = documentAt(linesOf(file), line)
  const [only, more] = parse(text, file).resources
  // An item of a List, or one whose namespace a kustomization gave: its own lines do not say it all.
  const itself = more === undefined && only !== undefined && isDeepStrictEqual(only.object, resource.object)
  const objects = itself ? text : `${'\n'.repeat(line - 1)}${JSON.stringify(resource.object)}\n`
  return { resource, change: { objects, file } }
}

function existing(given: string, { cwd }: Pick<Io, 'cwd'>): string {
  const absolute = path.resolve(cwd, given)
  if (!existsSync(absolute)) throw new CliError(`there is no file or folder ${JSON.stringify(given)}.`)
  return absolute
}

/** The YAML document that holds a line (from 1), at the place where it stands: what is above it is left empty. */
function documentAt(lines: readonly string[], line: number): string {
  const isMark = (text: string | undefined) => text !== undefined && /^---(\s|$)/.test(text)
  let first = line - 1
  while (first > 0 && !isMark(lines[first])) first -= 1
  let end = line
  while (end < lines.length && !isMark(lines[end])) end += 1
  return `${'\n'.repeat(first)}${lines.slice(first, end).join('\n')}\n`
}
