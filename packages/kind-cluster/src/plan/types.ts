import type { Command } from '../tools.js'

/** What a plan's steps belong to, in the order in which they are done. */
export type Part = 'cluster' | 'platform' | 'walls' | 'workloads' | 'proof'

/** One thing that is done in a step. */
export type Action =
  | RunAction
  | WaitAction
  | RestartAction
  | RefusedAction
  | SaysAction
  | PipedAction
  /** The suite: its report is the result of the whole plan, and code 1 means that something differs, not that it could not be done. */
  | { readonly kind: 'suite'; readonly command: Command }

/** Changes something. `note`: what is to be known about the line, where it does not say it itself. */
export interface RunAction {
  readonly kind: 'run'
  readonly command: Command
  readonly note?: string
}

/** Pods go on with what they were started with: done only where the nodes have another one of these by now, see `images` of the step. */
export interface RestartAction {
  readonly kind: 'restart'
  readonly command: Command
  readonly images: readonly string[]
}

/** Changes nothing, and ends when what it waits for is so. */
export interface WaitAction {
  readonly kind: 'wait'
  readonly command: Command
  /** What is waited for, as the end of a sentence that begins with "until". */
  readonly until: string
}

/** A try that has to be refused, by a policy, in its words: what is admitted is a failure. Creates nothing. */
export interface RefusedAction {
  readonly kind: 'refused'
  readonly command: Command
  /** The name that the refusal has to say. */
  readonly by: string
}

/** Asked again and again until its answer has this text in it. */
export interface SaysAction {
  readonly kind: 'says'
  readonly command: Command
  readonly text: string
  /** What that shows, as a whole sentence without its stop. */
  readonly meaning: string
  readonly withinMs: number
}

/** A text that is made here, when its turn comes, on the stdin of a command. It holds secrets: neither is logged. */
export interface PipedAction {
  readonly kind: 'piped'
  /** What prints the same text, for whoever types the plan; its words. */
  readonly from: readonly string[]
  readonly command: Command
}

/** How the cluster itself says that a step is done. */
export interface Done {
  readonly command: Command
  readonly holds:
    | { readonly kind: 'release'; readonly name: string; readonly namespace: string; readonly chart: string }
    | { readonly kind: 'images'; readonly images: readonly string[]; readonly nodes: readonly string[] }
    /** Our container runs, of the image that was asked for beside it, on the network of the nodes. */
    | { readonly kind: 'outside' }
}

export interface Step {
  /** Stable, for the record and for programs. */
  readonly id: string
  readonly part: Part
  /** What it does, as an instruction. */
  readonly title: string
  /** Why it is there, and why here. One sentence, or two. */
  readonly why: string
  readonly actions: readonly Action[]
  /** Run however the step ends, once it has begun. */
  readonly cleanup?: Command
  /** Files that the actions write and nobody needs after them. They are removed however the step ends. */
  readonly temporary?: readonly string[]
  /** Local files that the actions read: when one has changed, the step is not done any more. Relative to the clone. */
  readonly files?: readonly string[]
  /** Images of ours that its pods are started with, and what says which of them a node has now, in the words of crictl. */
  readonly images?: { readonly names: readonly string[]; readonly command: Command }
  /**
   * Asked before the step; `proven` takes it for done where it has been done at this very cluster, as with a trial that changes nothing.
   * Without either it is done again: what is there already stays as it is.
   */
  readonly done?: Done | 'proven'
}

export interface Plan {
  readonly steps: readonly Step[]
}
