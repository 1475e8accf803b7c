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
      check: checkStars,
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

/** An entry of `serverNames`: since Cilium 1.20 of the same form as a `matchPattern`. */
export const serverName = string({
  maxLength: 255,
  form: {
    pattern: PATTERN,
    says: 'a server name: letters, digits, "-", "_" and ".", with "*" for a label or a part of one, and "**." at the beginning for several; it is no regular expression',
  },
  check: checkStars,
})

/** Cilium reads stars side by side as one, but for those of a whole first label. */
function checkStars(pattern: string, at: At): void {
  if (pattern.replace(/^\*+(\.|$)/, '').includes('**'))
    at.warn(
      'pattern.stars',
      `${quote(pattern)}: "**" is more than one label at the beginning alone, as "**."; here it is read as "*", which is one label or a part of one`,
    )
}
