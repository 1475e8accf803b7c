import type { At } from '../schema.js'
import { peersOf } from './cilium-items.js'
import { familyOf } from './l7.js'
import { type Fields, isObject, objectsOf } from './values.js'

/*
 * What Cilium refuses only when it puts the rules together: on one port, for one peer, requests are read by one proxy, and
 * authentication is asked for in one way. Here within one object; across objects the engine says it, when it compiles.
 */

interface Seen {
  readonly family: Map<string, string>
  readonly mode: Map<string, string>
}

export function checkConflicts(rules: readonly [At, Fields][]): void {
  const seen: Seen = { family: new Map(), mode: new Map() }
  for (const [at, rule] of rules) {
    const subject = JSON.stringify(rule.endpointSelector ?? rule.nodeSelector ?? null)
    for (const section of ['ingress', 'egress']) {
      for (const [index, item] of objectsOf(rule[section]))
        checkItem(item, at.at(section, index), `${subject} ${section}`, seen)
    }
  }
}

function checkItem(item: Fields, at: At, subject: string, seen: Seen): void {
  const peers = selectorsOf(item).map((peer) => `${subject} ${peer}`)
  const mode = isObject(item.authentication) ? modeOf(item.authentication) : undefined
  for (const [index, entry] of objectsOf(item.toPorts)) {
    const family = familyOf(entry.rules)
    const reads = family === 'l7proto' ? `l7proto ${protoOf(entry.rules)}` : family
    for (const port of portsOf(entry)) {
      for (const peer of peers) {
        const key = `${peer} ${port}`
        if (reads !== undefined && clash(seen.family, key, reads)) {
          at.at('toPorts', index, 'rules').error(
            'l7.conflict',
            `the requests of the same peer on the same port ${port} are read as ${seen.family.get(key)} by another rule of this policy, and as ${reads} here; Cilium cannot merge the two, and applies neither`,
          )
        }
        if (mode !== undefined && clash(seen.mode, key, mode)) {
          at.at('authentication').error(
            'authentication.conflict',
            `the same peer on the same port ${port} has authentication ${seen.mode.get(key)} by another rule of this policy, and ${mode} here; Cilium cannot merge the two, and applies neither`,
          )
        }
      }
    }
  }
}

const protoOf = (rules: unknown): string => (isObject(rules) && typeof rules.l7proto === 'string' ? rules.l7proto : '')
const modeOf = ({ mode }: Fields): string | undefined => (typeof mode === 'string' ? mode : undefined)

/** Whether another value is there already. The first one stays. */
function clash(seen: Map<string, string>, key: string, value: string): boolean {
  const other = seen.get(key)
  if (other === undefined) seen.set(key, value)
  return other !== undefined && other !== value
}

/** Each as one word; everybody, where none is named. */
function selectorsOf(item: Fields): string[] {
  const peers = peersOf(item)
  return peers.length === 0
    ? ['*']
    : peers.flatMap(([name, list]) => list.map((one) => `${name} ${JSON.stringify(one)}`))
}

function portsOf(entry: Fields): string[] {
  return objectsOf(entry.ports).flatMap(([, { port, endPort, protocol = 'ANY' }]) => {
    if (typeof port !== 'string' || typeof protocol !== 'string') return []
    const range = `${port.toLowerCase()}${typeof endPort === 'number' && endPort > 0 ? `-${endPort}` : ''}`
    return (protocol === 'ANY' ? ['TCP', 'UDP', 'SCTP'] : [protocol]).map((name) => `${range}/${name}`)
  })
}
