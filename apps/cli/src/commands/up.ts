import path from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { CliError, type Io, note, print, printJson } from '../io.js'
import { type JsonOption, type StateOption, withHelp, withJson, withState } from '../options.js'
import { findPlaces, requireFolder, shellWord, shownPath, stateDirectory } from '../places.js'
import { styleOf } from '../style.js'
import { clock, eventText } from '../target/event-text.js'
import type { Started, SupervisorOptions, UpReport } from '../target/messages.js'
import { progressTo } from '../target/progress.js'
import { curlLine, statusText } from '../target/status-text.js'
import { table } from '../target/table.js'
import { keptText, toldOnceText } from '../target/told-once.js'

interface UpOptions extends JsonOption, StateOption {
  readonly layers?: string
  readonly fresh?: boolean
  readonly port: number
  readonly outside: NonNullable<SupervisorOptions['outside']>
  readonly connectTimeout: number
  readonly manifests?: readonly string[]
  readonly foreground?: boolean
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('up')
    .description(
      'Start every workload of k8s/ on this machine, with the layers enforced, and wait until all are ready.',
    )
    .option('--layers <names>', 'only these layers are on, by name or number: 40-mtls,50-identity; none: no layer')
    .option('--fresh', 'forget layers switched off, logs and the pods\u2019 files of earlier runs first')
    .option(
      '--port <n>',
      "the API's port on 127.0.0.1; 0 takes any that is free, and for the gateways any too",
      portOf,
      7070,
    )
    .addOption(
      new Option(
        '--outside <who>',
        'who answers for api.github.com and api.cloudflare.com; auto: they themselves, if they can',
      )
        .choices(['auto', 'real', 'stand-in'])
        .default('auto')
        .env('BULKHEAD_OUTSIDE'),
    )
    .option(
      '--connect-timeout <ms>',
      'how long a dropped packet is waited for before the mesh resets the connection (10000 on a cluster)',
      timeoutOf,
      1000,
    )
    .option('--manifests <dir...>', 'the manifests (default: k8s/workloads and k8s/layers)')
    .option('--foreground', 'stay, and end everything at Ctrl-C (`npm start` does this)')
    .action((options: UpOptions) => up(options, io))
  withHelp(withJson(withState(command)), {
    examples: ['npx bulkhead up', 'npx bulkhead up --layers 40-mtls', 'npx bulkhead up --foreground --port 0'],
    exit: '0 all ready, 1 something is up but not ready or not let in, 2 nothing was started.',
  })
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65535 && text.trim() !== '') return port
  throw new InvalidArgumentError('it has to be a whole number from 0 to 65535.')
}

function timeoutOf(text: string): number {
  const ms = Number(text)
  if (Number.isInteger(ms) && ms >= 50 && ms <= 60_000 && text.trim() !== '') return ms
  throw new InvalidArgumentError('it has to be a whole number of milliseconds from 50 to 60000.')
}

async function up(options: UpOptions, io: Io): Promise<void> {
  const start = supervisorOptions(options, io)
  const show = async ({ report, toldOnce }: Started) => {
    if (options.json === true) {
      printJson(io, report)
      for (const one of toldOnce) note(io, keptText(one, io))
    } else {
      print(io, upText(report, start, io, options.foreground === true, await labUnderWay(start.stateDir)))
      for (const one of toldOnce) print(io, toldOnceText(one, io))
    }
    if (report.notReady.length > 0) {
      for (const { workload, log } of report.notReady) {
        const said = log.trimEnd().replaceAll('\n', '\n  ')
        note(io, `bulkhead: ${workload} is not ready. Its log (npx bulkhead logs ${workload}) ends with:\n  ${said}`)
      }
      io.exit(1)
    }
    if (report.status.notAdmitted.length > 0) io.exit(1)
  }
  if (options.foreground !== true) {
    const { startInBackground } = await import('../target/start.js')
    await show(await startInBackground(start, io.signal, progressTo(io)))
    return
  }
  const { supervise } = await import('../target/supervise.js')
  const interrupted = () => note(io, 'interrupted: ending what has been started')
  io.signal.addEventListener('abort', interrupted, { once: true })
  const supervisor = await supervise(start, io.signal, progressTo(io), (event) =>
    note(io, eventText(event, clock(new Date()))),
  )
  io.signal.removeEventListener('abort', interrupted)
  await show(supervisor)
  note(
    io,
    `Save a file under ${foldersWords(start, io)}: it is in force at once, and what it opens and closes is told here.`,
  )
  note(io, 'Ctrl-C ends it and leaves nothing behind.')
  await Promise.race([supervisor.asked, aborted(io.signal)])
  note(io, 'ending: requests under way are finished first; Ctrl-C again ends it at once')
  await supervisor.stop()
  note(io, 'all is down.')
}

/** Whoever left a lab half-way finds its walls down, and has to be told why. */
async function labUnderWay(stateDir: string): Promise<string | undefined> {
  const { LabJournal } = await import('@bulkhead/labs/journal')
  try {
    return new LabJournal(stateDir).read()?.lab
  } catch {
    // `lab` says what is wrong with its file.
    return undefined
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

function supervisorOptions(options: UpOptions, io: Io): SupervisorOptions {
  const stateDir = stateDirectory(io, options.state)
  const folders = options.manifests?.map((given) => {
    const folder = path.resolve(io.cwd, given)
    requireFolder(folder, given)
    return folder
  })
  const places = folders === undefined ? findPlaces(io) : undefined
  return {
    manifests: folders ?? ['workloads', 'layers'].map((folder) => path.join(places?.k8s ?? '', folder)),
    relativeTo: places?.root ?? io.cwd,
    stateDir,
    port: options.port,
    outside: options.outside,
    connectTimeoutMs: options.connectTimeout,
    publishPorts: options.port === 0 ? 'any' : 'pinned',
    ...(options.layers !== undefined && { layers: layerNames(options.layers) }),
    ...(options.fresh === true && { fresh: true }),
  }
}

function layerNames(text: string): readonly string[] {
  if (text === 'none') return []
  const names = text.split(',').map((name) => name.trim())
  if (names.includes(''))
    throw new CliError(
      `--layers ${JSON.stringify(text)} has an empty name; write none, or names with commas between them.`,
    )
  return names
}

function foldersWords({ manifests }: SupervisorOptions, io: Io): string {
  return manifests.map((folder) => `${shownPath(io, folder)}/`).join(' or ')
}

/** @param here whether saves are told in this terminal */
function upText(
  { url, tookMs, status }: UpReport,
  { stateDir }: SupervisorOptions,
  io: Io,
  here: boolean,
  lab: string | undefined,
): string {
  const style = styleOf(io)
  const sum = (counted: 'ready' | 'of') => status.workloads.reduce((total, one) => total + one[counted], 0)
  const [ready, pods] = [sum('ready'), sum('of')]
  const shown = shownPath(io, stateDir)
  const state = stateDir === stateDirectory(io) ? '' : ` --state ${shellWord(shown)}`
  // The one whose fall opens something while all others stand.
  const wall = status.layers.find(({ name, on }) => on && name === '60-requests') ?? status.layers.find(({ on }) => on)
  const tries = [
    ...status.published.map((port) => [curlLine(port), `come in from outside, by ${port.service}`]),
    [`npx bulkhead attack${state}`, 'run the attacks: which wall stops each?'],
    [`npx bulkhead explain${state} shop/notsleep shop/web-api:8080 GET /`, 'why one flow is denied'],
    [`npx bulkhead exec${state} shop/sleep -- curl -s http://web-api:8080/`, 'call the chain as an allowed caller'],
    ...(wall === undefined
      ? []
      : [[`npx bulkhead layer off${state} ${wall.name}`, 'take a wall down: what does that open?']]),
    ...(here
      ? []
      : [
          [`tail -f ${shellWord(path.join(shown, 'supervisor.log'))}`, 'what each save of a manifest opens and closes'],
        ]),
  ]
  return [
    style.bold(`${ready} of ${pods} pods are ready, after ${(tookMs / 1000).toFixed(1)} s.`),
    '',
    statusText(status, style),
    ...status.layers
      .filter(({ on }) => !on)
      .map(({ name }) =>
        style.yellow(`  ${name} is OFF, as it was left or asked for; npx bulkhead layer on${state} ${name}`),
      ),
    ...(lab === undefined
      ? []
      : [
          style.yellow(
            `  lab ${lab} is under way: npx bulkhead lab check${state} goes on, lab reset${state} puts all back`,
          ),
        ]),
    `  API      ${url} (its token is in ${path.join(shown, 'control.json')})`,
    '',
    style.bold('Try'),
    table(tries),
  ].join('\n')
}
