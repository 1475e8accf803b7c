import { quote } from '../../diagnostics.js'
import type { At } from '../schema.js'
import { object, string } from '../schema.js'
import { type Fields, isSet } from './values.js'

/*
 * Names and patterns of names in Cilium's rules. The expressions of its CustomResourceDefinition are ambiguous
 * (`([-a-zA-Z0-9_]+[.]?)+`) and would backtrack here without end; these take the same names, in one way each.
 */

const NAME = /^[-a-zA-Z0-9_]+(\.[-a-zA-Z0-9_]+)*\.?$/
const PATTERN = /^[-a-zA-Z0-9_*]+(\.[-a-zA-Z0-9_*]+)*\.?$/

/** One entry of `toFQDNs`, or of a DNS rule. */
export const fqdn = object(
  {
    matchName: string({ maxLength: 255, form: { pattern: NAME, says: 'a name: letters, digits, "-", "_" and "."' } }),
    matchPattern: string({
      maxLength: 255,
      form: { pattern: PATTERN, says: 'a pattern of names: letters, digits, "-", "_", "." and "*"' },
    }),
  },
  { check: checkFqdn },
)

function checkFqdn(fields: Fields, at: At): void {
  const both = isSet(fields.matchName) && isSet(fields.matchPattern)
  if (both || !(isSet(fields.matchName) || isSet(fields.matchPattern)))
    at.error(
      'fqdn.one',
      'exactly one of matchName and matchPattern must be set; for every name write matchPattern: "*"',
    )
}

/** What the definition of Cilium 1.19 takes: `*.` or `**.` may stand before a name. */
const SERVER_NAME = /^(\*?\*\.)?[-a-zA-Z0-9_]+(\.[-a-zA-Z0-9_]+)*$/
/** What Cilium's proxy takes beyond that: stars that stand for a label or a part of one; `**` for whole labels. */
const SERVER_PATTERN = /^(\*\*|[-a-zA-Z0-9_*]+)(\.(\*\*|[-a-zA-Z0-9_*]+))*$/

/** An entry of `serverNames`. */
export const serverName = string({ maxLength: 255, check: checkServerName })

function checkServerName(name: string, at: At): void {
  const mistake = serverNameMistake(name)
  if (mistake !== undefined) {
    at.error('sni.form', `${quote(name)} ${mistake}`)
  } else if (!SERVER_NAME.test(name)) {
    at.warn(
      'sni.newer',
      `${quote(name)}: Cilium's proxy understands this pattern, but the CustomResourceDefinition of Cilium 1.19 takes stars only before the first dot, as "*." or "**."; its API server would refuse the policy`,
    )
  }
}

function serverNameMistake(name: string): string | undefined {
  if (name === '') return 'is empty, and no connection has an empty server name; take it away'
  if (name.endsWith('.')) return 'ends in a dot; the name in a ClientHello has none'
  if (name.split('.').some((label) => label.includes('**') && label !== '**'))
    return 'holds stars side by side that are not "**" alone between two dots'
  if (!SERVER_PATTERN.test(name))
    return 'is not a server name: letters, digits, "-", "_" and ".", with "*" for one label and "**" for several; it is no regular expression'
  return undefined
}
