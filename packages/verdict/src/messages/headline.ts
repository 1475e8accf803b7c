import type { Outcome, Step } from '../types.js'
import { sentence } from './en.js'

/** The first line of a verdict: who wants what, and what came of it. */
export function headline(flow: string, outcome: Outcome, deciding: Step | undefined): string {
  return `${flow}   ${outcomeOf(outcome, deciding)}`
}

function outcomeOf(outcome: Outcome, step: Step | undefined): string {
  if (outcome === 'allow' || step === undefined) return 'ALLOWED'
  if (outcome === 'unknown') return `UNKNOWN: ${step.policy ?? step.facts?.what ?? step.code} is not modelled`
  if (step.code.startsWith('network.')) return `NOT REACHED: ${sentence(step)}`
  if (step.code.startsWith('hbone.')) return 'DENIED by the mesh (HBONE)'
  return `DENIED by ${step.layer ?? step.policy ?? 'default'} (${step.point})`
}
