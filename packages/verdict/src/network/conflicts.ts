import { CompileError } from '../model/compile-error.js'
import type { NetworkRule } from './types.js'

/**
 * Two rules that Cilium cannot merge for one pod: the same peers and the same port, read as two protocols or with two
 * modes of authentication (semantics B.7, B.8). It then enforces nothing for the pod, so this is an error.
 */
export function conflictAmong(rules: readonly NetworkRule[]): CompileError | undefined {
  const speaking = rules.filter(({ family, authentication }) => family !== undefined || authentication !== undefined)
  for (const [index, rule] of speaking.entries()) {
    for (const other of speaking.slice(0, index)) {
      if (rule.source === undefined || !overlap(rule, other)) continue
      const { resource, path } = rule.source
      const where = `the same peers and the same port as rule ${other.by.rule} of ${other.by.policy} (${other.by.at})`
      if (rule.family !== undefined && other.family !== undefined && rule.family !== other.family) {
        const what = `${rule.family} rules for ${where}, which has ${other.family} rules: Cilium cannot merge the two`
        return new CompileError(resource, path, what)
      }
      const [mode, mode2] = [rule.authentication, other.authentication]
      if (mode !== undefined && mode2 !== undefined && mode !== mode2) {
        const what = `authentication ${mode} for ${where}, which says ${mode2}: Cilium cannot merge the two`
        return new CompileError(resource, path, what)
      }
    }
  }
  return undefined
}

function overlap(a: NetworkRule, b: NetworkRule): boolean {
  if (!a.peers.some(({ key }) => b.peers.some((peer) => peer.key === key))) return false
  if (a.ports === undefined || b.ports === undefined) return a.ports === b.ports
  const theirs = b.ports
  return a.ports.some(({ key, protocols }) =>
    theirs.some((port) => port.key === key && port.protocols.some((one) => protocols.includes(one))),
  )
}
