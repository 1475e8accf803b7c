import type { Scenario } from '@bulkhead/scenarios'
import type { Peeled, Setting } from '@bulkhead/scenarios/peel'
import type { Command } from 'commander'
import { CliError, exitCodes, type Io, note, print, printJson } from '../io.js'
import { ownManifests, readManifests } from '../manifests.js'
import { type JsonOption, type OnOption, type StateOption, withHelp, withJson, withOn, withState } from '../options.js'
import { findPlaces } from '../places.js'
import { counter, readAsked } from '../scenario-run.js'
import { findRunning, onItsOwn } from '../target/running.js'

interface Options extends JsonOption, StateOption, OnOption {
  readonly run?: boolean
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('peel')
    .argument('[id...]', 'only these scenarios, by the names of their files in scenarios/ (default: all)')
    .description(
      'Which layer stops what: the scenarios with all layers on, with each one off in turn, and with each one alone. The engine judges them by all of k8s/, and nothing needs to be up; --run really makes every attempt on what is up, fifteen times, and puts the layers back as they were.',
    )
    .option('--run', 'run the scenarios on what is up; all of them take the better part of an hour')
  withState(withOn(withJson(command)))
  withHelp(command, {
    examples: [
      'npx bulkhead peel',
      'npx bulkhead peel sleep-deletes-at-web-api hello-app-thief-to-postgres',
      'npx bulkhead peel --run sleep-deletes-at-web-api',
      'npx bulkhead peel --run --on kind sleep-deletes-at-web-api',
    ],
    exit: '0 as expected; 1 an attack gets through all layers, a layer stops nothing that no other stops, or a scenario is not as expected or not known; 2 bad input, or nothing is up with --run',
  })
  command.action((ids: string[], options: Options) => peelThem(ids, options, io))
}

async function peelThem(ids: readonly string[], options: Options, io: Io): Promise<void> {
  const means = options.state === undefined ? (options.on === 'kind' ? '--on kind' : undefined) : '--state'
  if (means !== undefined && options.run !== true) {
    throw new CliError(
      `${means} says which target is meant, and only --run asks one; write --run too, or leave it out.`,
    )
  }
  const { peel, peelJson, renderPeel } = await import('@bulkhead/scenarios/peel')
  const start = performance.now()
  const chosen = await readAsked(io, { ids, what: 'scenario' })
  const peeled = options.run === true ? await run(chosen, options, io) : await judge(chosen, io)
  const found = peel(peeled, chosen, ids.length === 0)
  if (options.json === true) printJson(io, peelJson(found))
  else print(io, renderPeel(found, { color: io.colour, durationMs: Math.round(performance.now() - start) }))
  if (found.findings.length > 0) io.exit(exitCodes.deny)
}

async function judge(scenarios: readonly Scenario[], io: Io): Promise<Peeled> {
  const { peelByEngine } = await import('@bulkhead/scenarios/peel')
  const set = ownManifests(io)
  const resources = await readManifests(set)
  note(io, `asked: the manifests in ${set.title}`)
  return peelByEngine(scenarios, { resources, root: findPlaces(io).root, signal: io.signal })
}

/** The layers are switched for all who use the target, so what is under way is told, also where nobody watches. */
async function run(scenarios: readonly Scenario[], options: Options, io: Io): Promise<Peeled> {
  const { peelOnTarget, settingText } = await import('@bulkhead/scenarios/peel')
  const target = await findRunning(io, options)
  let progress: ReturnType<typeof counter> | undefined
  const clear = (): void => {
    progress?.clear()
    progress = undefined
  }
  return onItsOwn(target, () =>
    peelOnTarget(target, scenarios, {
      root: findPlaces(io).root,
      signal: io.signal,
      onSetting: (setting: Setting, index, of) => {
        clear()
        note(io, `${index + 1} of ${of}: ${settingText(setting)}`)
        progress = counter(io, scenarios.length)
      },
      onResult: () => progress?.tick(),
      onRestore: (before) => {
        clear()
        const off = before.filter((layer) => !layer.on).map(({ name }) => name)
        note(io, `putting the layers back as they were: ${off.length === 0 ? 'all on' : `off: ${off.join(', ')}`}`)
      },
    }),
  )
}
