import { rmSync } from 'node:fs'
import type { Resource } from '@bulkhead/resources'
import { checkEngine, checkGone, checkHalfGone, checkHalfMade } from './engine.js'
import { imageIds, renewed } from './images-on-nodes.js'
import { locked } from './lock.js'
import { checkOurs, clusterUid, containerId, kindClusters, NotOursError } from './ours.js'
import { notOurOutside, removeOutside } from './outside/index.js'
import { clusterName, type Place } from './place.js'
import { commandsFor } from './plan/commands.js'
import { type IsDone, isDone } from './plan/done.js'
import { fingerprintOf } from './plan/fingerprint.js'
import type { Action, Done, Plan, Step } from './plan/types.js'
import { type ClusterRecord, readRecord, writeRecord } from './record.js'
import { ActionError, endedWith, runAction } from './run-action.js'
import { makeSecrets, type Told, toTell } from './secrets/cluster-secrets.js'
import { readSecrets } from './secrets/live-secrets.js'
import { type Command, type CommandResult, type RunOptions, ToolError, type Tools } from './tools.js'

/** What happens, as it happens. */
export type PlanEvent =
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'step'; readonly step: Step; readonly number: number; readonly of: number }
  | { readonly kind: 'skipped'; readonly step: Step; readonly number: number; readonly of: number }
  | { readonly kind: 'action'; readonly step: Step; readonly action: Action }
  | { readonly kind: 'line'; readonly action: Action; readonly line: string; readonly stream: 'stdout' | 'stderr' }
  | { readonly kind: 'done'; readonly step: Step; readonly ms: number }

export interface RunPlanOptions {
  readonly plan: Plan
  readonly tools: Tools
  readonly place: Place
  /** Of k8s/workloads: whose Secrets are made. */
  readonly resources: readonly Resource[]
  readonly tell: (event: PlanEvent) => void
  /** Called before a cluster is made, and not when one is gone on with: what it throws stops everything, and nothing was changed. */
  readonly preflight?: () => Promise<void>
  readonly signal?: AbortSignal
  readonly now?: () => Date
  readonly pauseMs?: number
}

/** How far a plan came. */
export type PlanOutcome =
  | { readonly kind: 'done'; readonly suite?: CommandResult; readonly told: readonly Told[] }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'interrupted'; readonly step?: Step; readonly record?: ClusterRecord }

export interface Failure {
  readonly step: Step
  /** Missing where it was no command of the plan that failed. */
  readonly command?: Command
  /** Why, in a few words: `it ended with code 1`. */
  readonly why: string
  /** The last lines that the command said. */
  readonly said: readonly string[]
  readonly missing?: boolean
}

/** So many of the last lines of a command are told when it fails. */
const LAST_LINES = 15

/**
 * Does a plan, step by step. A step that the cluster says is done is left out, so that what has failed or was interrupted goes on
 * where it was. Before each step that changes something it is made sure that the cluster is ours.
 * @throws NotOursError, RecordError, LockedError; whatever else goes wrong is in the outcome
 */
export async function runPlan(options: RunPlanOptions): Promise<PlanOutcome> {
  const { place } = options
  return locked(place, () => new Run(options).all())
}

class Run {
  readonly #options: RunPlanOptions
  readonly #run: { readonly signal?: AbortSignal }
  #record: ClusterRecord | undefined
  #suite: CommandResult | undefined
  #last: string[] = []

  constructor(options: RunPlanOptions) {
    this.#options = options
    this.#run = options.signal === undefined ? {} : { signal: options.signal }
  }

  async all(): Promise<PlanOutcome> {
    const { plan, signal } = this.#options
    const of = plan.steps.length
    let current: Step | undefined
    try {
      const there = await this.#begin()
      for (const [index, step] of plan.steps.entries()) {
        current = step
        await this.#step(step, { number: index + 1, of }, there)
      }
      return { kind: 'done', ...(this.#suite && { suite: this.#suite }), told: await this.#tellOnce() }
    } catch (error) {
      if (signal?.aborted === true)
        return { kind: 'interrupted', ...(current && { step: current }), ...(this.#record && { record: this.#record }) }
      if (error instanceof NotOursError || current === undefined) throw error
      return { kind: 'failed', failure: this.#failure(current, error) }
    }
  }

  /** @returns whether the cluster is there and ours; else the way is free to make one */
  async #begin(): Promise<boolean> {
    const { tools, place, tell } = this.#options
    this.#record = readRecord(place)
    const exists = (await this.#clusters()).includes(clusterName)
    if (!exists) {
      if (this.#record?.uid !== undefined) {
        await checkGone(tools, place, this.#record, this.#run)
        tell({ kind: 'note', text: 'The cluster of last time is gone; a new one is made.' })
      }
      return this.#startOver()
    }
    if (this.#record === undefined)
      throw new NotOursError(
        'not-ours',
        `kind has a cluster named ${clusterName} already, and it was not made here (no ${place.record}). Nothing was changed. If nobody needs it: \`kind delete cluster --name ${clusterName}\`, then this again.`,
      )
    if (await checkHalfGone(tools, place, this.#record, this.#run))
      return this.#anew(
        'The deleting of the cluster was interrupted last time: what is left of it is taken away first.',
      )
    if (this.#record.uid !== undefined) {
      await checkOurs(tools, place, this.#record, this.#run)
      await checkEngine(tools, place, this.#record, this.#run)
      return true
    }
    await checkHalfMade(tools, place, this.#record, this.#run)
    return this.#anew('The making of the cluster was interrupted last time: what there is of it is taken away first.')
  }

  async #anew(text: string): Promise<false> {
    const { place, tell } = this.#options
    tell({ kind: 'note', text })
    await this.#must(
      commandsFor(place).kind(['delete', 'cluster', '--name', clusterName, '--kubeconfig', place.kubeconfig], 3),
    )
    return this.#startOver()
  }

  async #clusters(): Promise<readonly string[]> {
    const { tools, place, preflight } = this.#options
    try {
      return await kindClusters(tools, place, this.#run)
    } catch (error) {
      // On a machine where nothing is prepared all of it is told, and not the first tool that is missing.
      if (this.#record === undefined && this.#run.signal?.aborted !== true) await preflight?.()
      throw error
    }
  }

  async #startOver(): Promise<false> {
    const { tools, place, preflight, now = () => new Date() } = this.#options
    await preflight?.()
    const network = await tools.run(commandsFor(place).docker(['network', 'inspect', 'kind'], 1), this.#run)
    rmSync(place.kubeconfig, { force: true })
    // What the last try brought is ours still: kind leaves it where it deletes the nodes.
    const networkWasThere = network.code === 0 && this.#record?.networkWasThere !== false
    this.#keep({ begun: now().toISOString(), making: true, networkWasThere, steps: {}, untold: [] })
    return false
  }

  async #step(step: Step, at: { readonly number: number; readonly of: number }, there: boolean): Promise<void> {
    const { tools, place, tell, now = () => new Date() } = this.#options
    this.#last = []
    const making = step.id === 'cluster'
    const fingerprint = fingerprintOf(step, place.root)
    if (making ? there : await this.#isDone(step, fingerprint)) {
      tell({ kind: 'skipped', step, ...at })
      return
    }
    if (this.#record?.uid !== undefined) await checkOurs(tools, place, this.#record, this.#run)
    tell({ kind: 'step', step, ...at })
    const began = performance.now()
    try {
      await this.#actions(step)
    } catch (error) {
      // kind takes away what it has made when it fails; what is there then is somebody else's.
      if (making && error instanceof ActionError) this.#change({ making: false })
      // What went wrong first is what is told.
      await this.#tidy(step).catch(() => undefined)
      throw error
    }
    await this.#tidy(step)
    if (making) {
      const container = await containerId(tools, place, this.#run)
      this.#change({ uid: await clusterUid(tools, place, this.#run), making: false, ...(container && { container }) })
    }
    const steps = { ...this.#record?.steps, [step.id]: { at: now().toISOString(), fingerprint } }
    this.#change({ steps })
    tell({ kind: 'done', step, ms: performance.now() - began })
  }

  async #actions(step: Step): Promise<void> {
    const { images: before, steps } = this.#record ?? {}
    const now = await this.#imagesNow(step)
    const others = renewed(now, before, steps?.[step.id] !== undefined)
    const keep = (images: ClusterRecord['images']): void => {
      if (step.images !== undefined) this.#change({ images: { ...before, ...images } })
    }
    // Of the first pods it is known from here on, however this ends; of others once they were started again.
    keep(Object.fromEntries(Object.entries(now).filter(([name]) => !others.includes(name))))
    for (const action of step.actions)
      if (action.kind !== 'restart' || action.images.some((image) => others.includes(image)))
        await this.#action(step, action)
    keep(now)
  }

  async #imagesNow({ images }: Step): Promise<Readonly<Record<string, string>>> {
    if (images === undefined) return {}
    const result = await this.#options.tools.run(images.command, this.#run)
    if (result.code !== 0) throw new ActionError(endedWith(result), result)
    const now = imageIds(result.stdout, images.names)
    const unsaid = images.names.filter((name) => now[name] === undefined)
    if (unsaid.length > 0)
      this.#options.tell({
        kind: 'note',
        text: `A node does not say which ${unsaid.join(' and ')} it has: pods of an older one are not started again.`,
      })
    return now
  }

  /** Not called off with the rest: what is there has to go. */
  async #tidy({ cleanup, temporary = [] }: Step): Promise<void> {
    for (const file of temporary) rmSync(file, { force: true })
    if (cleanup !== undefined) await this.#must(cleanup, {})
  }

  async #isDone(step: Step, fingerprint: string): Promise<boolean> {
    if (step.done === undefined) return false
    const remembered = this.#record?.steps[step.id]?.fingerprint === fingerprint
    if (step.done === 'proven') return remembered
    const state = isDone(step.done, await this.#options.tools.run(step.done.command, this.#run))
    if (typeof state === 'object' && 'pending' in state) await this.#mend(step.done, state.pending)
    const done = state === 'done' && remembered
    if (step.done.holds.kind === 'outside' && state !== 'not' && !done) await this.#clear(state)
    return done
  }

  /** A container has the name that is to be given. Ours that is not as it should be goes; another one is nobody's business. */
  async #clear(state: Exclude<IsDone, 'not'>): Promise<void> {
    if (typeof state === 'object' && 'inTheWay' in state && state.inTheWay === 'foreign')
      throw new NotOursError('not-ours', notOurOutside)
    const { place, tools, tell } = this.#options
    await checkOurs(tools, place, this.#record, this.#run)
    tell({ kind: 'note', text: 'The host outside of the cluster is not as it should be: it is made anew.' })
    await this.#must(removeOutside)
  }

  /** A release that was left in the middle lets nobody upgrade it. */
  async #mend({ holds }: Done, pending: 'install' | 'upgrade'): Promise<void> {
    if (holds.kind !== 'release') return
    const { place, tools, tell } = this.#options
    await checkOurs(tools, place, this.#record, this.#run)
    const { name, namespace } = holds
    tell({
      kind: 'note',
      text: `Helm was interrupted in the middle of the ${pending} of ${name}: that is taken back first.`,
    })
    const args = [
      pending === 'install' ? 'uninstall' : 'rollback',
      name,
      '--namespace',
      namespace,
      '--wait',
      '--timeout=3m',
    ]
    await this.#must(commandsFor(place).helm(args, 3))
  }

  async #action(step: Step, action: Action): Promise<void> {
    const { tools, tell, pauseMs } = this.#options
    tell({ kind: 'action', step, action })
    this.#last = []
    const result = await runAction(tools, action, {
      ...this.#run,
      ...(pauseMs !== undefined && { pauseMs }),
      secretsText: () => this.#secretsText(),
      onLine: (line, stream) => {
        if (action.command.secret === true) return
        this.#last = [...this.#last, line].slice(-LAST_LINES)
        tell({ kind: 'line', action, line, stream })
      },
    })
    if (action.kind === 'suite') this.#suite = result
  }

  async #secretsText(): Promise<string> {
    const { tools, place, resources } = this.#options
    const { text, fresh } = makeSecrets(resources, await readSecrets(tools, place, resources, this.#run))
    this.#change({ untold: [...new Set([...(this.#record?.untold ?? []), ...fresh])] })
    return text
  }

  /** What nobody has been told yet, from the cluster itself; and never again. */
  async #tellOnce(): Promise<readonly Told[]> {
    const { tools, place, resources } = this.#options
    const untold = this.#record?.untold ?? []
    if (untold.length === 0) return []
    const told = toTell(resources, await readSecrets(tools, place, resources, this.#run), untold)
    this.#change({ untold: [] })
    return told
  }

  async #must(command: Command, options: RunOptions = this.#run): Promise<void> {
    const result = await this.#options.tools.run(command, options)
    if (result.code !== 0) throw new ActionError(endedWith(result), result)
  }

  #failure(step: Step, error: unknown): Failure {
    if (error instanceof ActionError) {
      const { command, stdout, stderr } = error.result
      const all = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '')
      const said = command.secret === true ? [] : this.#last.length > 0 ? this.#last : all.slice(-LAST_LINES)
      return { step, command, why: error.message, said }
    }
    const why = error instanceof Error ? error.message : String(error)
    if (error instanceof ToolError)
      return { step, command: error.command, why, said: this.#last, ...(error.code === 'missing' && { missing: true }) }
    return { step, why, said: this.#last }
  }

  #change(part: Partial<ClusterRecord>): void {
    if (this.#record !== undefined) this.#keep({ ...this.#record, ...part })
  }

  #keep(record: ClusterRecord): void {
    this.#record = record
    writeRecord(this.#options.place, record)
  }
}
