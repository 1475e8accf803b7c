import type { Attempt } from '@bulkhead/scenarios'
import type { Symptom } from '@bulkhead/verdict'

/** The languages that a lab is written in, as its pages' files are named: `README.md`, `README.zh-TW.md`. */
export const languages = ['en', 'zh-TW'] as const
export type Language = (typeof languages)[number]

/** A lab, as one of its pages tells it. */
export interface Lab {
  /** `01` */
  readonly id: string
  /** Its folder: `01-who-may-call`. */
  readonly name: string
  /** The page, relative to the repository. */
  readonly file: string
  readonly language: Language
  readonly title: string
  /** How long it takes somebody who is new to it. */
  readonly minutes: number
  /** Programs that the page types, beside Node.js: `curl`. */
  readonly needs: readonly string[]
  readonly start: StartState
  /** Before its first step, how it is done on a cluster. */
  readonly onCluster?: ClusterNote
  /** One for each `##` heading, in order. */
  readonly steps: readonly LabStep[]
}

/** What a page says before its steps of a cluster: a quote, like that of a step. */
export interface ClusterNote {
  readonly text: string
  /** Numbers of the steps that it names: in them nothing is different but what is typed. */
  readonly same: readonly string[]
}

/** What must be in force when it begins: all layers but these, and without these objects. */
export interface StartState {
  readonly layersOff: readonly string[]
  /** `Kind/namespace/name` */
  readonly without: readonly string[]
}

export interface LabStep {
  readonly heading: string
  /** The text between heading and next heading, Markdown, without its comments. */
  readonly prose: string
  readonly commands: readonly LabCommand[]
  /** What is different on a cluster: the quote in it that begins with the word for that. Never typed. */
  readonly onCluster?: string
  /** Absent for a section in which nothing is to be done. */
  readonly check?: StepCheck
  readonly line: number
}

/** A command as it is typed, and what the page says that it prints. */
export interface LabCommand {
  readonly line: string
  /** Lines in the notation of expect.ts; both streams, as a terminal shows them. */
  readonly output: readonly string[]
  /** Of the command in the page, from 1. */
  readonly at: number
}

/** When a step is done. */
export interface StepCheck {
  /** Objects that have to be in force from this step on, `Kind/namespace/name`. */
  readonly inForce: readonly string[]
  /** Objects that admission has to have refused since the lab was started. */
  readonly refused: readonly Refusal[]
  /** Calls that have to have been made since the lab was started, with what came of them. */
  readonly tried: readonly Call[]
  /** Calls that the engine must judge so, and that must really end so, until a later step changes it. */
  readonly now: readonly Call[]
}

/** `Pod/sandbox/hacker-root by ValidatingPolicy/disallow-root-user`; for Pod Security the policy is `Namespace/shop`. */
export interface Refusal {
  readonly id: string
  readonly policy: string
}

/**
 * A call as a page's check writes it, read: `shop/sleep -> shop/web-api:8080 GET / sees ok 200`. Instead of a Service's
 * port: `pod NAMESPACE/WORKLOAD:PORT`, `https://HOST/PATH` (and `sni NAME`, where it lies), `postgres NAMESPACE/SERVICE:PORT`,
 * `mongo NAMESPACE/SERVICE:PORT`, `udp HOST:PORT`, `dns NAME`.
 */
export interface Call {
  readonly text: string
  /** `namespace/workload`, or `outside`. */
  readonly from: string
  /** What is called, as people read it: `shop/web-api:8080`, `https://api.github.com/`, `dns api.github.com`. */
  readonly to: string
  readonly attempt: Attempt
  /** Its method and path are written: where requests are recorded, another one is another call. */
  readonly asks?: true
  readonly sees: Symptom
  /** Of the HTTP answer. */
  readonly status?: number
  /** The reason code of the step that decides, for a denial. */
  readonly code?: string
}

export interface LabProblem {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** A page that cannot be used. The message has a line `file:line: what` for each problem. */
export class LabError extends Error {
  readonly problems: readonly LabProblem[]

  constructor(problems: readonly LabProblem[]) {
    super(problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'))
    this.name = 'LabError'
    this.problems = problems
  }
}
