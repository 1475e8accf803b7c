import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { nodeAt, parseYaml } from '@bulkhead/resources/yaml'
import { check, type Problem } from './check.js'
import { problemsOf } from './problems.js'
import { scenarioSchema } from './schema.js'
import type { Scenario } from './types.js'

/** Where in a scenario's file something is wrong, and what. Lines and columns count from 1. */
export interface ScenarioProblem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** One or more scenario files cannot be used. The message has a line `file:line:column: what` for each problem. */
export class ScenarioError extends Error {
  readonly problems: readonly ScenarioProblem[]
  constructor(problems: readonly ScenarioProblem[]) {
    super(problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n'))
    this.name = 'ScenarioError'
    this.problems = problems
  }
}

export interface LoadOptions {
  /** Names of the layers there are; a wall of another one is an error. Without it any name is taken. */
  readonly layers?: readonly string[]
  /** Only those of these ids, each in the file that is named after it; no other file is read. Default: all. */
  readonly ids?: readonly string[]
}

const extension = /\.ya?ml$/

/**
 * Every scenario of a folder (`*.yaml`, one each, named after its id), or those that are asked for, sorted by id.
 * @throws ScenarioError with everything that is wrong in any of them
 */
export async function loadScenarios(folder: string, options: LoadOptions = {}): Promise<readonly Scenario[]> {
  const root = dirname(resolve(folder))
  let names: readonly string[]
  try {
    const found = (await readdir(folder)).filter((name) => extension.test(name)).sort()
    const { ids } = options
    names = ids === undefined ? found : found.filter((name) => ids.includes(name.replace(extension, '')))
  } catch (error) {
    throw new ScenarioError([
      { file: folder, line: 1, column: 1, message: `cannot read the folder (${String(error)})` },
    ])
  }
  const problems: ScenarioProblem[] = []
  const scenarios: Scenario[] = []
  for (const name of names) {
    const path = join(resolve(folder), name)
    const file = relative(root, path)
    try {
      const scenario = await readScenario(await textOf(path, file), file, root, options)
      const other = scenarios.find(({ id }) => id === scenario.id)
      if (other === undefined) scenarios.push(scenario)
      else problems.push({ file, line: 1, column: 1, message: `the id "${scenario.id}" is taken by ${other.file}` })
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length > 0) throw new ScenarioError(problems)
  return scenarios
}

async function textOf(path: string, file: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new ScenarioError([{ file, line: 1, column: 1, message: `cannot be read (${String(error)})` }])
  }
}

/** One scenario from its text. `root` is where the manifests that it names are looked for. */
export async function readScenario(
  text: string,
  file: string,
  root: string,
  options: LoadOptions = {},
): Promise<Scenario> {
  const { documents, problems: unreadable, place: placeOf } = parseYaml(text)
  const at = (offset: number, message: string): ScenarioProblem => ({ file, ...placeOf(offset), message })
  if (unreadable.length > 0) throw new ScenarioError(unreadable.map(({ offset, message }) => at(offset, message)))
  const [document, second] = documents
  if (document === undefined) throw new ScenarioError([at(0, 'the file is empty, and should hold a scenario')])
  if (second !== undefined)
    throw new ScenarioError([at(second.positions.offset, 'a file holds one scenario, and here a second begins')])
  const place = ({ path, message }: Problem): ScenarioProblem => at(nodeAt(document.positions, path).offset, message)
  const parsed = scenarioSchema.safeParse(document.value, { reportInput: true })
  if (!parsed.success) throw new ScenarioError(parsed.error.issues.flatMap(problemsOf).map(place))

  const problems = [...check(parsed.data, options.layers), ...(await checkFiles(parsed.data, root))]
  const expectedName = basename(file).replace(extension, '')
  if (parsed.data.id !== expectedName) {
    problems.push({
      path: ['id'],
      message: `the file is named "${expectedName}", the scenario "${parsed.data.id}"; they must be the same`,
    })
  }
  if (problems.length > 0) throw new ScenarioError(problems.map(place))
  return { ...parsed.data, file }
}

async function checkFiles(scenario: Pick<Scenario, 'given' | 'change'>, root: string): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const part of ['given', 'change'] as const) {
    for (const [index, manifest] of (scenario[part]?.manifests ?? []).entries()) {
      const problem = (message: string) => problems.push({ path: [part, 'manifests', index], message })
      const start = 'paths start at the folder that holds scenarios/'
      const path = resolve(root, manifest)
      if (relative(root, path).startsWith('..')) {
        problem(`"${manifest}" lies outside of where manifests are read from; ${start}`)
        continue
      }
      const found = await stat(path).catch(() => undefined)
      if (found?.isFile() !== true) problem(`there is no file "${manifest}"; ${start}`)
    }
  }
  return problems
}
