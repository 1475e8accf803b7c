import type { Outcome, Step } from '../types.js'
import { sentence } from './en.js'
import { fact } from './fact.js'

/** The first line of a verdict: who wants what, and what came of it. `behind`: the proxy whose way it was. */
export function headline(flow: string, outcome: Outcome, deciding: Step | undefined, behind?: string): string {
  return `${flow}   ${outcomeOf(outcome, deciding, behind)}`
}

function outcomeOf(outcome: Outcome, step: Step | undefined, behind = 'gateway'): string {
  if (step?.code === 'route.redirects') return `REDIRECTED to ${step.facts?.location ?? 'another address'}`
  if (outcome === 'allow' || step === undefined) return 'ALLOWED'
  // What stops a proxy on its way is not what the client ran into.
  const where = [step.point, ...whatWasRead(step), ...(step.hop > 0 ? [`behind the ${behind}`] : [])].join(', ')
  if (outcome === 'unknown') return `UNKNOWN: ${step.policy ?? step.facts?.what ?? step.code} is not modelled`
  if (step.code === 'route.no-host' || step.code === 'route.no-match') return `NOT FOUND (404): ${sentence(step)}`
  if (step.code === 'request.refused') return `REFUSED (400): ${sentence(step)}`
  if (step.code === 'route.no-backend') return `NO BACKEND (500): ${sentence(step)}`
  if (step.code.startsWith('network.')) return `NOT REACHED: ${sentence(step)}`
  if (step.code.startsWith('hbone.')) return 'DENIED by the mesh (HBONE)'
  return `DENIED by ${step.layer ?? step.policy ?? (isolating(step) || 'default')} (${where})`
}

/** Of a packet that passes, or asks for a name: what in it does not. */
function whatWasRead(step: Step): string[] {
  if (step.code === 'cni.sni-denied')
    return [step.facts?.sni === 'none' ? 'no server name' : `server name ${fact(step, 'sni')}`]
  if (step.code === 'cni.http-denied') return [fact(step, 'request')]
  return step.code.startsWith('cni.') && step.facts?.query !== undefined ? [`asking for ${fact(step, 'query')}`] : []
}

/** The layers of the policies that isolate together: `20-network and 30-cilium`; empty where they are of none. */
export function isolating({ isolatedBy = [] }: Step): string {
  return [...new Set(isolatedBy.flatMap(({ layer }) => layer ?? []))].sort().join(' and ')
}
