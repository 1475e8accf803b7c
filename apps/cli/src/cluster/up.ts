import { rmSync } from 'node:fs'
import {
  causeOf,
  commandLine,
  contextName,
  type Failure,
  type Place,
  type PlanOutcome,
  runPlan,
  shellWord,
  type Told,
  type UnpackedBundle,
  unpackedFolder,
} from '@bulkhead/kind-cluster'
import { type Typed, typedFor } from '../given.js'
import { signalExitCode } from '../interrupt.js'
import { exitCodes, type Io, note, print, printable, printJson } from '../io.js'
import type { JsonOption, StateOption } from '../options.js'
import { shownPath } from '../places.js'
import { styleOf } from '../style.js'
import { bundleFor } from './bundle.js'
import { type ClusterTools, clusterPlace, clusterTools, workloadsOf } from './place.js'
import { aroundBundle, aroundUp, planFor, printPlan } from './plan.js'
import { preflight } from './preflight.js'
import { progressOf } from './progress.js'

export interface UpOptions extends JsonOption, StateOption {
  readonly plan?: boolean
  /** A file of `cluster bundle`. */
  readonly bundle?: string
}

/** What a test gives instead of this machine and its tools. */
export interface UpGiven extends ClusterTools {
  readonly preflight?: () => Promise<void>
  /** Between two tries of what is not so yet. */
  readonly pauseMs?: number
}

/** Brings the cluster up, or goes on where the last try ended. */
export async function up(options: UpOptions, io: Io, given?: UpGiven): Promise<void> {
  if (options.plan === true) {
    const place = clusterPlace(io, options)
    const bundle = await bundleOf(options, place, io)
    printPlan(await planFor(place, bundle), place, bundle === undefined ? aroundUp : aroundBundle, options, io)
    return
  }
  const { place, tools } = given ?? clusterTools(io, options)
  const plan = await planFor(place, await bundleOf(options, place, io))
  const resources = await workloadsOf(place)
  note(io, `What each tool says is in ${shownPath(io, place.log)}. Ctrl-C stops; the same command goes on from there.`)
  const progress = progressOf(io, options)
  const outcome = await runPlan({
    ...{ plan, tools, place, resources, tell: progress.tell, signal: io.signal },
    preflight: given?.preflight ?? (() => preflight({ place, tools }, io)),
    ...(given?.pauseMs !== undefined && { pauseMs: given.pauseMs }),
  }).finally(() => progress.end())
  const complete = await typedFor(io, options)
  if (options.json === true) printJson(io, outcomeJson(outcome, complete))
  const typed = nextLines(options, complete)
  if (outcome.kind === 'done') {
    // All of it is on the nodes by now.
    rmSync(unpackedFolder(place), { recursive: true, force: true })
    done(outcome, place, options, io, typed)
  } else if (outcome.kind === 'failed') {
    note(
      io,
      printable(
        complete(
          failureText(outcome.failure, plan.steps.indexOf(outcome.failure.step), shownPath(io, place.log), typed),
        ),
      ),
    )
    io.exit(exitCodes.badInput)
  } else {
    note(io, printable(interruptedText(outcome, typed)))
    io.exit(signalExitCode(io.signal.reason))
  }
}

const bundleOf = async ({ bundle }: UpOptions, place: Place, io: Io): Promise<UnpackedBundle | undefined> =>
  bundle === undefined ? undefined : bundleFor(bundle, place, io)

/** What is to be typed next. */
interface NextLines {
  readonly up: string
  readonly down: string
  readonly status: string
  readonly attack: string
}

function nextLines({ bundle }: UpOptions, complete: Typed): NextLines {
  return {
    up: complete(`npx bulkhead cluster up${bundle === undefined ? '' : ` --bundle ${shellWord(bundle)}`}`),
    down: complete('npx bulkhead cluster down'),
    status: complete('npx bulkhead cluster status'),
    attack: complete('npx bulkhead attack --on kind'),
  }
}

function done(
  outcome: Extract<PlanOutcome, { kind: 'done' }>,
  { kubeconfig }: Place,
  { json }: JsonOption,
  io: Io,
  typed: NextLines,
): void {
  const differs = outcome.suite?.code === 1
  if (json === true) for (const one of outcome.told) note(io, printable(keptText(one, shownPath(io, kubeconfig))))
  else {
    for (const one of outcome.told) print(io, printable(toldText(one, shownPath(io, kubeconfig))))
    print(io, printable(upText(typed)))
  }
  if (differs) {
    note(io, styleOf(io).yellow('The cluster is up, and the suite above found differences.'))
    io.exit(1)
  }
}

function upText({ attack, status, down }: NextLines): string {
  const wide = Math.max(...[attack, status, down].map(({ length }) => length))
  const line = (command: string, what: string): string => `  ${command.padEnd(wide)}   ${what}`
  return [
    '',
    'The shop is up on a cluster of your own. Its doors:',
    "  curl -H 'Host: istioexplained.io' http://127.0.0.1:30080/",
    '  http://127.0.0.1:30081/   hello-app',
    '  http://127.0.0.1:30450/   the manager',
    '',
    line(attack, 'the attacks again, from inside the pods'),
    line(status, 'what is up, and whether it is ready'),
    line(down, 'takes all of it away'),
  ].join('\n')
}

/** Told once: it is in no file, and no command of ours shows it again. */
function toldText(told: Told, kubeconfig: string): string {
  const lines = told.values.map(({ key, value }) => `  ${key}  ${value}`)
  return [`Told once, of Secret ${told.secret}:`, ...lines, keptText(told, kubeconfig)].join('\n')
}

/** Where it is, which is all that a program's reader is told: what is printed for programs is often kept. */
function keptText({ secret, values }: Told, kubeconfig: string): string {
  const [namespace, name] = secret.split('/')
  const last = values.at(-1)?.key ?? ''
  return `Secret ${secret} is kept by the cluster alone: kubectl --kubeconfig ${shellWord(kubeconfig)} --context ${contextName} --namespace ${namespace} get secret ${name} --output jsonpath='{.data.${last}}' | base64 -d`
}

function failureText({ step, command, why, said }: Failure, index: number, log: string, typed: NextLines): string {
  const cause = causeOf([...said, why].join('\n'))
  const parts = [
    `bulkhead: step ${index + 1}, "${step.title}", failed: ${why}.`,
    ...(command === undefined ? [] : ['The command:', `  ${commandLine(command)}`]),
    ...(said.length === 0 ? [] : ['It said last:', ...said.map((line) => `  ${line}`)]),
    ...(cause === undefined ? [] : [`Likely: ${cause.cause}`, ...cause.remedy.map((one) => `  ${one}`)]),
    `Everything that was said is in ${log}. When it is put right, \`${typed.up}\` goes on at this step; \`${typed.down}\` takes away what is there.`,
  ]
  return parts.join('\n')
}

function interruptedText({ step, record }: Extract<PlanOutcome, { kind: 'interrupted' }>, typed: NextLines): string {
  const begun = Object.keys(record?.steps ?? {}).length
  const at = step === undefined ? '' : ` at "${step.title}"`
  if (record === undefined) return `bulkhead: interrupted${at}; nothing was made.`
  const there =
    record.uid === undefined
      ? 'The cluster itself was not finished: what there is of it is taken away by the next of these.'
      : `The cluster is there, with ${begun} steps done.`
  return `bulkhead: interrupted${at}. ${there} \`${typed.up}\` goes on, \`${typed.down}\` takes it all away.`
}

function outcomeJson(outcome: PlanOutcome, complete: Typed): unknown {
  if (outcome.kind === 'done')
    return { up: true, suite: outcome.suite === undefined ? null : { exit: outcome.suite.code ?? null } }
  if (outcome.kind === 'interrupted') return { up: false, interrupted: outcome.step?.id ?? null }
  const { step, command, why, said } = outcome.failure
  const found = causeOf([...said, why].join('\n'))
  const cause = found && { ...found, remedy: found.remedy.map((one) => complete(one)) }
  return {
    up: false,
    failed: {
      ...{ step: step.id, why: complete(why), said },
      ...(command && { command: commandLine(command) }),
      ...(cause && { cause }),
    },
  }
}
