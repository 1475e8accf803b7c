import { nearWords } from '@bulkhead/resources/suggest'
import type { Report, Scenario } from '@bulkhead/scenarios'
import { typedFor } from './given.js'
import { CliError, type Io, note } from './io.js'
import type { OnOption, StateOption } from './options.js'
import { findPlaces } from './places.js'
import { isKept, planReport, printReport, type ReportOptions, type TextRender } from './report.js'
import { madeNow } from './revision/made.js'
import { findRunning, onItsOwn } from './target/running.js'

export interface ScenarioRun {
  readonly report: Report
  /** Whether people read it on stdout. */
  readonly isText: boolean
  /** Writes the report in the forms, and to the files, that were asked for; as text as `text` renders it. */
  print(text: TextRender): Promise<void>
}

/**
 * Runs scenarios of the clone's scenarios/ on the running target. What is under way is told on stderr of a terminal.
 * @throws CliError when nothing is up, or an id is unknown
 */
export async function runScenariosOnTarget(
  io: Io,
  options: ReportOptions & StateOption & OnOption,
  asked: Asked,
): Promise<ScenarioRun> {
  const plan = planReport(io, options)
  const { runScenarios } = await import('@bulkhead/scenarios')
  const target = await findRunning(io, options)
  const { root } = findPlaces(io)
  const chosen = await readAsked(io, asked)
  const typed = await typedFor(io, options)
  const made = isKept(plan) ? await madeNow(io, root) : undefined
  const progress = counter(io, chosen.length)
  const stopping = (): void => {
    progress.clear()
    if (options.on === 'kind') note(io, stoppingText)
  }
  io.signal.addEventListener('abort', stopping, { once: true })
  const report = await onItsOwn(target, () =>
    runScenarios(target, chosen, { root, signal: io.signal, onResult: progress.tick }),
  ).finally(() => {
    io.signal.removeEventListener('abort', stopping)
    progress.clear()
  })
  return {
    report,
    isText: plan.stdout === 'text',
    print: (text) => printReport(io, plan, report, text, made, typed),
  }
}

/** A cluster takes its time to take something back, and nothing else is said meanwhile. */
const stoppingText =
  'stopping: what a scenario has changed is taken back first, which may take some minutes. Ctrl-C again does not wait; the next command for the cluster takes it back then.'

export interface Asked {
  /** Default: all of that kind. */
  readonly ids: readonly string[]
  /** What they are called, for what is said of them. */
  readonly what: string
  /** Those of that kind. Default: every scenario. */
  readonly of?: (all: readonly Scenario[]) => readonly Scenario[]
}

/**
 * Those of the clone's scenarios/. All files are read only where all are asked for, or to say what there is instead.
 * @throws CliError naming near ids
 */
export async function readAsked(
  io: Pick<Io, 'cwd'>,
  { ids, what, of = (all) => all }: Asked,
): Promise<readonly Scenario[]> {
  const { loadScenarios } = await import('@bulkhead/scenarios')
  const { scenarios } = findPlaces(io)
  const named = ids.length === 0 ? [] : of(await loadScenarios(scenarios, { ids }))
  if (named.length > 0 && named.length === new Set(ids).size) return named
  return chooseScenarios(of(await loadScenarios(scenarios)), ids, what)
}

/** The scenarios with these ids, in their own order; all of them when there is no id. @throws CliError naming near ids */
export function chooseScenarios(all: readonly Scenario[], ids: readonly string[], what: string): readonly Scenario[] {
  if (all.length === 0) throw new CliError(`there is no ${what} in scenarios/.`)
  const known = all.map((scenario) => scenario.id)
  for (const id of ids) {
    if (known.includes(id)) continue
    const parts = known.filter((candidate) => candidate.includes(id) || id.includes(candidate))
    const near = [...new Set([...nearWords(id, known), ...parts])].slice(0, 5)
    const list = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${known.join(', ')}.`
    throw new CliError(`there is no ${what} "${id}"; ${list}`)
  }
  return ids.length === 0 ? all : all.filter((scenario) => ids.includes(scenario.id))
}

/** `12 of 40` on one line of a terminal, gone when the result comes; nothing in a log. */
export function counter(io: Io, of: number): { tick(): void; clear(): void } {
  if (!('isTTY' in io.stderr) || io.stderr.isTTY !== true) return { tick() {}, clear() {} }
  let done = 0
  const write = () => void io.stderr.write(`\r${done} of ${of}`)
  write()
  return {
    tick() {
      done += 1
      write()
    },
    clear() {
      io.stderr.write('\r\u001b[K')
    },
  }
}
