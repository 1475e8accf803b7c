import type { Outcome, Step } from '../types.js'
import { sentence } from './en.js'

/** The first line of a verdict: who wants what, and what came of it. */
export function headline(flow: string, outcome: Outcome, deciding: Step | undefined): string {
  return `${flow}   ${outcomeOf(outcome, deciding)}`
}

function outcomeOf(outcome: Outcome, step: Step | undefined): string {
  if (step?.code === 'route.redirects') return `REDIRECTED to ${step.facts?.location ?? 'another address'}`
  if (outcome === 'allow' || step === undefined) return 'ALLOWED'
  // What stops a gateway on its way is not what the client ran into.
  const where = step.hop > 0 ? `${step.point}, behind the gateway` : step.point
  if (outcome === 'unknown') return `UNKNOWN: ${step.policy ?? step.facts?.what ?? step.code} is not modelled`
  if (step.code === 'route.no-host' || step.code === 'route.no-match') return `NOT FOUND (404): ${sentence(step)}`
  if (step.code === 'route.no-backend') return `NO BACKEND (500): ${sentence(step)}`
  if (step.code.startsWith('network.')) return `NOT REACHED: ${sentence(step)}`
  if (step.code.startsWith('hbone.')) return 'DENIED by the mesh (HBONE)'
  return `DENIED by ${step.layer ?? step.policy ?? isolating(step)} (${where})`
}

/** The layers of the policies that isolate together. */
function isolating({ isolatedBy = [] }: Step): string {
  const layers = [...new Set(isolatedBy.flatMap(({ layer }) => layer ?? []))].sort()
  return layers.length === 0 ? 'default' : layers.join(' and ')
}
