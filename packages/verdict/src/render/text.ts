import { closestSentence, sentence } from '../messages/en.js'
import { isolating } from '../messages/headline.js'
import { behindWaypoint, note } from '../messages/network.js'
import { type Symptom, symptoms } from '../symptoms.js'
import type { Hop, Step, Verdict } from '../types.js'

/** `a connection that opened and was closed without a byte (curl 52 or 56)` */
export function symptomSentence(symptom: Symptom): string {
  const { says, curl } = symptoms[symptom]
  return curl.length === 0 ? says : `${says} (curl ${curl.join(' or ')})`
}

/**
 * A verdict for people. The first line is `verdict.text`; then every step in the path's order, aligned: the point, what
 * it says, why, and the line of the manifest that says so; between two hops who goes on, where to and as whom; then what
 * else would have stopped it and what the caller sees.
 */
export function renderVerdict(verdict: Verdict): string {
  const rows = verdict.steps.map((step, index) => ({
    step,
    cells: [pointName(step), outcomeWord(step, verdict, index), sentence(step)] as const,
  }))
  // The third column is only as wide as what has a place beside it.
  const widths = [0, 1, 2].map((column) =>
    Math.max(0, ...rows.map(({ cells, step }) => (column < 2 || step.at ? (cells[column]?.length ?? 0) : 0))),
  )
  const indent = ' '.repeat((widths[0] ?? 0) + (widths[1] ?? 0) + 6)
  const lines = [verdict.text]
  const told = new Set<string>()
  for (const [index, { step, cells }] of rows.entries()) {
    const hop = verdict.hops[step.hop]
    if (hop !== undefined && step.hop > (rows[index - 1]?.step.hop ?? 0)) lines.push(`  ${hopLine(hop)}`)
    const padded = cells.map((cell, column) => cell.padEnd(column < 2 || step.at ? (widths[column] ?? 0) : 0))
    lines.push(`  ${[...padded, step.at ?? ''].join('  ')}`.trimEnd())
    lines.push(...details(step).map((line) => indent + line))
    for (const remark of [note(step), comesFromWaypoint(step, verdict) ? behindWaypoint : undefined]) {
      // Once is enough: it is the same at both ends.
      if (remark !== undefined && !told.has(remark)) lines.push(`${indent}note: ${remark}`)
      if (remark !== undefined) told.add(remark)
    }
  }
  const others = verdict.steps.filter(
    (step, index) => step.outcome === 'deny' && index !== verdict.decidedBy?.step && isWall(step),
  )
  if (others.length > 0) lines.push(`  would also be stopped by ${others.map(stopper).join('; ')}`)
  const from = verdict.hops[0]?.from ?? 'the caller'
  lines.push(`what ${from} sees: ${symptomSentence(verdict.symptom)}`)
  return `${lines.join('\n')}\n`
}

/** A packet that a rule lets in to a pod, and that a waypoint sent there. */
function comesFromWaypoint({ point, code, hop }: Step, { steps }: Verdict): boolean {
  if (point !== 'cni-ingress' || code !== 'cni.rule-allows') return false
  return steps.some((step) => step.hop === hop - 1 && step.point === 'waypoint' && step.outcome !== 'not-applicable')
}

/** That nothing listens, that a gateway has no route, or that a request is none, defends nobody. */
function isWall({ code }: Step): boolean {
  return !code.startsWith('network.') && !code.startsWith('route.') && !code.startsWith('request.')
}

/** `app/gateway-istio → app/web:15008/TCP, as cluster.local/ns/app/sa/gateway-istio` */
function hopLine({ from, to, tuple, as }: Hop): string {
  const identity = as === undefined ? 'in plain text' : `as ${as.replace('spiffe://', '')}`
  return `${from} → ${to}:${tuple.port}/${tuple.protocol}, ${identity}`
}

function pointName(step: Step): string {
  if (step.point === 'waypoint') return pointAtWaypoint(step)
  if (step.point === 'gateway') return step.engine === 'gateway-api' ? 'gateway route' : 'gateway authz'
  if (step.code.startsWith('mtls.')) return 'ztunnel mtls'
  if (step.code.startsWith('authz.')) return 'ztunnel authz'
  if (step.code.startsWith('hbone.')) return 'ztunnel hbone'
  if (step.code === 'network.nothing-listens') return 'destination'
  if (step.facts?.query !== undefined) return `${step.point} dns`
  return step.point
}

function pointAtWaypoint({ code }: Step): string {
  if (code.startsWith('authz.')) return 'waypoint authz'
  return code.startsWith('hbone.') ? 'waypoint hbone' : 'waypoint'
}

function outcomeWord(step: Step, verdict: Verdict, index: number): string {
  switch (step.outcome) {
    case 'allow':
      return step.code === 'route.redirects' ? 'answers' : 'allowed'
    case 'not-applicable':
      return 'no wall'
    case 'unknown':
      return 'UNKNOWN'
    case 'deny':
      if (!isWall(step)) return index === verdict.decidedBy?.step ? 'STOPS' : 'would stop'
      return index === verdict.decidedBy?.step ? 'DENIED' : 'would deny'
  }
}

function details(step: Step): string[] {
  return [
    ...(step.isolatedBy ?? []).map(
      ({ policy, at }, index) => `${index === 0 ? 'isolated by' : '        and'} ${policy} (${at})`,
    ),
    ...(step.closest ? [`nearly: ${closestSentence(step.closest)}`] : []),
  ]
}

function stopper(step: Step): string {
  const layer = step.layer ?? isolating(step)
  const where = layer === '' ? pointName(step) : `${layer} (${pointName(step)})`
  return step.policy === undefined ? where : `${where}: ${step.policy}`
}
