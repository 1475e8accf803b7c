import { commandLine, type PlanEvent, type Step } from '@bulkhead/kind-cluster'
import { type Io, note, printable } from '../io.js'
import type { JsonOption } from '../options.js'
import { styleOf } from '../style.js'

/** After so long without a line of ours it is said what is waited for. */
const QUIET_MS = 30_000

export interface Progress {
  readonly tell: (event: PlanEvent) => void
  /** No more is told. */
  end(): void
}

/** Tells on stderr how far a plan is, with times. The suite's report goes to stdout, as it comes; unless a program reads that. */
export function progressOf(io: Io, { json }: JsonOption, quietMs = QUIET_MS): Progress {
  const began = performance.now()
  const style = styleOf(io)
  let waiting: { readonly what: string; readonly since: number; last: string } | undefined
  const timer = setInterval(() => {
    if (waiting === undefined) return
    const last = waiting.last === '' ? '' : `; it said last: ${waiting.last}`
    note(io, printable(`         still, for ${seconds(performance.now() - waiting.since)}: ${waiting.what}${last}`))
  }, quietMs)
  timer.unref()
  const head = (number: number, of: number): string =>
    `${String(number).padStart(2)}/${of}  ${clock(performance.now() - began)}  `
  return {
    end: () => clearInterval(timer),
    tell: (event) => {
      switch (event.kind) {
        case 'note':
          return note(io, event.text)
        case 'step':
          return note(io, style.bold(`${head(event.number, event.of)}${event.step.title}`))
        case 'skipped':
          return note(io, style.dim(`${head(event.number, event.of)}${event.step.title}: it is there already`))
        case 'action':
          waiting = { what: whatOf(event), since: performance.now(), last: '' }
          if (event.action.kind === 'wait') note(io, `         waiting until ${event.action.until}`)
          if (event.action.kind === 'restart')
            note(io, `         starting again what was started with an older ${event.action.images.join(' or ')}`)
          return
        case 'line':
          if (event.action.kind === 'suite' && event.stream === 'stdout' && json !== true)
            io.stdout.write(`${event.line}\n`)
          else if (event.action.kind === 'suite') note(io, printable(event.line))
          else if (waiting !== undefined) waiting.last = event.line.trim().slice(0, 100)
          return
        case 'done':
          waiting = undefined
          return note(io, style.dim(`         done in ${seconds(event.ms)}`))
      }
    },
  }
}

function whatOf({
  action,
}: {
  readonly step: Step
  readonly action: Extract<PlanEvent, { kind: 'action' }>['action']
}): string {
  if (action.kind === 'wait') return `waiting until ${action.until}`
  if (action.kind === 'says') return action.meaning
  return commandLine(action.command).slice(0, 100)
}

/** `02:13` since the start. */
export function clock(ms: number): string {
  const all = Math.floor(ms / 1000)
  return `${String(Math.floor(all / 60)).padStart(2, '0')}:${String(all % 60).padStart(2, '0')}`
}

export const seconds = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s` : `${Math.round(ms / 60_000)} min`
