import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import type { Lab, Language, StepProgress } from '@bulkhead/labs'
import { type Command, Option } from 'commander'
import { CliError, type Io, note, print, printJson } from '../io.js'
import { labTarget } from '../labs/lab-target.js'
import { type JsonOption, type StateOption, withHelp, withJson, withState } from '../options.js'
import { findPlaces, stateDirectory } from '../places.js'
import { styleOf } from '../style.js'
import { findTarget } from '../target/find.js'
import { table } from '../target/table.js'

interface Options extends JsonOption, StateOption {
  readonly lang?: Language
}

const actions = ['list', 'start', 'check', 'hint', 'reset'] as const
type Action = (typeof actions)[number]

export function register(program: Command, io: Io): void {
  const command = program
    .command('lab')
    .description('The labs of docs/labs: list them, start one, see how far you are, put everything back.')
    .argument('[action]', `${actions.join(', ')} (default: list)`)
    .argument('[lab]', 'its number: 01 (default: the one that is started)')
    .addOption(
      new Option('--lang <language>', 'of the pages and of what is said (default: as LANG says)').choices([
        'en',
        'zh-TW',
      ]),
    )
    .action((action: string | undefined, lab: string | undefined, options: Options) => labs(action, lab, options, io))
  withHelp(withJson(withState(command)), {
    examples: [
      'npx bulkhead lab',
      'npx bulkhead lab start 01',
      'npx bulkhead lab check 01',
      'npx bulkhead lab reset 01',
    ],
    exit: 'check: 0 all steps are done, 1 not all. Otherwise 0; always 2 when there is no such lab, none is started, or nothing is up.',
  })
}

/** What every action works with. */
interface Parts {
  readonly lab: Lab
  readonly options: Options
  readonly io: Io
  readonly language: Language
}

async function labs(given: string | undefined, asked: string | undefined, options: Options, io: Io): Promise<void> {
  const { findLab, languageOf, loadLabs } = await import('@bulkhead/labs')
  const action = actions.find((known) => known === (given ?? 'list'))
  if (action === undefined)
    throw new CliError(`there is nothing like \`lab ${given}\`; there are ${actions.join(', ')}.`)
  const language = options.lang ?? languageOf(io.env)
  const all = await loadLabs(findPlaces(io).root, language)
  if (action === 'list') return list(all, language, options, io)
  // Whoever is in the middle of one means that one.
  const meant = asked ?? (action === 'start' ? undefined : (await journalOf(options, io)).read()?.lab)
  if (meant === undefined) throw new CliError(`say which lab: npx bulkhead lab ${action} ${all[0]?.id ?? '01'}`)
  const lab = findLab(all, meant)
  if (lab === undefined) {
    throw new CliError(
      `there is no lab ${JSON.stringify(meant)}; there are ${all.map(({ id }) => id).join(', ') || 'none'}.`,
    )
  }
  const run: Readonly<Record<Exclude<Action, 'list'>, (parts: Parts) => Promise<void>>> = { start, check, hint, reset }
  await run[action]({ lab, options, io, language })
}

async function list(all: readonly Lab[], language: Language, options: Options, io: Io): Promise<void> {
  const { words } = await import('@bulkhead/labs')
  const say = words[language]
  const under = (await journalOf(options, io)).read()
  if (options.json === true) {
    printJson(io, {
      labs: all.map(({ id, title, minutes, file }) => ({ id, title, minutes, file, started: under?.lab === id })),
    })
    return
  }
  print(io, table(all.map(({ id, title, minutes, file }) => [id, title, say.minutes(minutes), file])))
  const current = all.find(({ id }) => id === under?.lab)
  note(io, current === undefined ? say.startOne : `${current.id} ${say.underWay(current)}`)
}

async function start({ lab, options, io, language }: Parts): Promise<void> {
  const { startLab, words } = await import('@bulkhead/labs')
  const say = words[language]
  for (const program of lab.needs) if (!isFound(program, io)) note(io, `bulkhead: ${say.needs(program)}`)
  const journal = await journalOf(options, io)
  const under = journal.read()
  if (under !== undefined && under.lab !== lab.id) throw new CliError(say.another(under.lab, lab.id))
  await startLab(labTarget(findTarget(io, options)), lab, journal)
  const { layersOff, without } = lab.start
  if (options.json === true) {
    printJson(io, { lab: lab.id, layersOff, without, file: lab.file })
    return
  }
  const lines = [
    say.started(lab),
    ...(layersOff.length > 0 ? [say.down(layersOff)] : []),
    ...(without.length > 0 ? [say.out(without)] : []),
    say.readIt(lab.file),
    say.howFar(lab.id),
    say.putBack(lab.id),
  ]
  print(io, lines.join('\n'))
}

async function check(parts: Parts): Promise<void> {
  const { words } = await import('@bulkhead/labs')
  const { lab, options, io, language } = parts
  const say = words[language]
  const progress = await progressOf(parts)
  const done = progress.filter(({ status }) => status !== 'not-yet').length
  const first = progress.find(({ status }) => status === 'not-yet')
  if (options.json === true) printJson(io, { lab: lab.id, steps: progress.map(asJson) })
  else {
    const style = styleOf(io)
    const lines = progress.flatMap((one) => {
      const paint = one.status === 'not-yet' ? style.yellow : style.green
      const head = `  ${paint(say.status[one.status])}  ${one.step.heading}`
      return one === first ? [head, ...whyAndHow(one, say)] : [head]
    })
    print(io, [lab.title, ...lines, say.sum(done, progress.length)].join('\n'))
    if (first === undefined) note(io, say.finished(lab.id))
  }
  io.exit(first === undefined ? 0 : 1)
}

async function hint(parts: Parts): Promise<void> {
  const { words } = await import('@bulkhead/labs')
  const { lab, options, io, language } = parts
  const say = words[language]
  const first = (await progressOf(parts)).find(({ status }) => status === 'not-yet')
  if (options.json === true) printJson(io, { lab: lab.id, next: first === undefined ? null : asJson(first) })
  else if (first === undefined) print(io, say.finished(lab.id))
  else print(io, [say.hint(first.step), ...whyAndHow(first, say)].join('\n'))
}

async function reset({ lab, options, io, language }: Parts): Promise<void> {
  const { resetLab, words } = await import('@bulkhead/labs')
  const say = words[language]
  const journal = await journalOf(options, io)
  const under = journal.read()
  if (under === undefined) {
    note(io, say.nothingToReset)
    return
  }
  if (under.lab !== lab.id) throw new CliError(say.another(under.lab, lab.id))
  await resetLab(labTarget(findTarget(io, options)), journal)
  if (options.json === true) printJson(io, { lab: lab.id, before: { layersOff: under.before.off } })
  else print(io, say.back(under.before.off))
}

/** @throws CliError when the lab is not under way, or its target was started anew */
async function progressOf({ lab, options, io, language }: Parts): Promise<readonly StepProgress[]> {
  const { checkLab, words } = await import('@bulkhead/labs')
  const say = words[language]
  const entry = (await journalOf(options, io)).read()
  if (entry === undefined) throw new CliError(say.notStarted(lab.id))
  if (entry.lab !== lab.id) throw new CliError(say.another(entry.lab, lab.id))
  const target = labTarget(findTarget(io, options))
  if ((await target.started()) !== entry.target) throw new CliError(say.restarted(lab.id))
  return checkLab(target, lab, entry, io.signal)
}

type Words = Awaited<typeof import('@bulkhead/labs')>['words'][Language]

/** Below a step: what it lacks, and the page's own commands for it. */
function whyAndHow(progress: StepProgress, say: Words): readonly string[] {
  const why = progress.missing.map((one) => say.missing(one))
  return [...why, ...toType(progress).map((line) => say.typeNext(line))].map((line) => `           ${line}`)
}

/** The commands of a step that are still to be typed, as far as they can be told apart; else all that apply nothing. */
export function toType({ missing, step }: Pick<StepProgress, 'missing' | 'step'>): readonly string[] {
  const lines = step.commands.map(({ line }) => line)
  const applies = (line: string) => line.startsWith('npx bulkhead apply ')
  const absent = missing.some(({ kind }) => kind === 'not-in-force' || kind === 'never-refused')
  if (absent) return lines
  const callers = missing.flatMap((one) => (one.kind === 'never-tried' ? [one.call.from] : []))
  const by = (from: string) => (from === 'outside' ? 'curl ' : `npx bulkhead exec ${from} -- `)
  const isCall = (line: string) => callers.some((from) => line.startsWith(by(from)))
  const last = lines.findLastIndex(isCall)
  if (last === -1) return lines.filter((line) => !applies(line))
  // What a call comes to depends on the layers that the step switches before it.
  const switches = (line: string) => /^npx bulkhead layer (on|off) /.test(line)
  return lines.filter((line, index) => isCall(line) || (index < last && switches(line)))
}

const asJson = ({ step, status, missing }: StepProgress) => ({
  heading: step.heading,
  status,
  missing: missing.map((one) => ({ kind: one.kind, what: whatOf(one) })),
  type: status === 'not-yet' ? toType({ missing, step }) : [],
})

function whatOf(missing: StepProgress['missing'][number]): string {
  if (missing.kind === 'not-in-force') return missing.id
  if (missing.kind === 'never-refused') return `${missing.refusal.id} by ${missing.refusal.policy}`
  return missing.call.text
}

async function journalOf(options: Options, io: Io) {
  const { LabJournal } = await import('@bulkhead/labs')
  return new LabJournal(stateDirectory(io, options.state))
}

function isFound(program: string, { env }: Io): boolean {
  return (env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
