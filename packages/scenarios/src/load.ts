import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { check, type Problem } from './check.js'
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
}

/**
 * Every scenario of a folder (`*.yaml`, one each, named after its id), sorted by id.
 * @throws ScenarioError with everything that is wrong in any of them
 */
export async function loadScenarios(folder: string, options: LoadOptions = {}): Promise<readonly Scenario[]> {
  const root = dirname(resolve(folder))
  let names: readonly string[]
  try {
    names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort()
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
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const at = (offset: number, message: string): ScenarioProblem => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col, message }
  }
  if (document.errors.length > 0) {
    throw new ScenarioError(document.errors.map((error) => at(error.pos[0], firstLine(error.message))))
  }
  const place = ({ path, message }: Problem): ScenarioProblem => at(offsetOf(document, path), message)
  let value: unknown
  try {
    value = document.toJS()
  } catch (error) {
    // Aliases that would unfold without end.
    throw new ScenarioError([at(0, error instanceof Error ? error.message : String(error))])
  }
  const parsed = scenarioSchema.safeParse(value)
  if (!parsed.success) throw new ScenarioError(parsed.error.issues.flatMap(problemsOf).map(place))

  const problems = [...check(parsed.data, options.layers), ...(await checkFiles(parsed.data, root))]
  const expectedName = basename(file).replace(/\.ya?ml$/, '')
  if (parsed.data.id !== expectedName) {
    problems.push({
      path: ['id'],
      message: `the file is named "${expectedName}", the scenario "${parsed.data.id}"; they must be the same`,
    })
  }
  if (problems.length > 0) throw new ScenarioError(problems.map(place))
  return { ...parsed.data, file }
}

/** One problem per unknown field, at the field; in a choice of forms, the problems inside of the form that was meant. */
function problemsOf(issue: z.core.$ZodIssue): readonly Problem[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: `unknown field "${key}"` }))
  }
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((issues) => issues.length > 0 && issues.every((inner) => inner.path.length > 0))
    if (meant !== undefined)
      return meant.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }))
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
  const field = path.length === 0 ? 'the scenario' : `"${path.join('.')}"`
  return [{ path, message: `${field}: ${message}` }]
}

async function checkFiles(scenario: Pick<Scenario, 'given' | 'change'>, root: string): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const part of ['given', 'change'] as const) {
    for (const [index, manifest] of (scenario[part]?.manifests ?? []).entries()) {
      const found = await stat(join(root, manifest)).catch(() => undefined)
      if (found?.isFile() === true) continue
      problems.push({
        path: [part, 'manifests', index],
        message: `there is no file "${manifest}" (paths start at the folder that holds scenarios/)`,
      })
    }
  }
  return problems
}

/** Where the field at a path is written: its key, or the closest ancestor that is there. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const step = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === step)
      if (pair !== undefined && isScalar(pair.key) && pair.key.range) return pair.key.range[0]
      continue
    }
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}

/** The sentence of a YAML error, without the place (given already) and the excerpt. */
function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? text).replace(/ at line \d+, column \d+:$/, '')
}
