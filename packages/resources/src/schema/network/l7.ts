import { RE2JS, RE2JSSyntaxException } from 're2js'
import { quote } from '../../diagnostics.js'
import type { At } from '../schema.js'
import { list, map, object, string } from '../schema.js'
import { fqdn } from './names.js'
import { type Fields, isObject, isSet, itemsOf } from './values.js'

/* `rules` of a port: what Cilium's proxies read of a request. Source: its CustomResourceDefinition, and its own validation. */

export const secret = object({ namespace: string(), name: string() }, { required: ['name'] })

/** Longer ones are nobody's, and cost time. */
const LONGEST = 4096

function checkExpression(text: string, at: At): void {
  if (text.length > LONGEST) {
    at.error('regex.invalid', `an expression of ${text.length} characters is not read here; at most ${LONGEST} are`)
    return
  }
  try {
    RE2JS.compile(text)
  } catch (error) {
    const why = error instanceof RE2JSSyntaxException ? error.message : 'it cannot be compiled'
    at.error('regex.invalid', `${quote(text)} is not a regular expression of RE2: ${why}`)
  }
}

const expression = string({ check: checkExpression })

const http = object({
  method: expression,
  path: expression,
  host: expression,
  headers: list(string()),
  headerMatches: list(
    object(
      {
        mismatch: string({ oneOf: ['LOG', 'ADD', 'DELETE', 'REPLACE'] }),
        name: string({ minLength: 1 }),
        secret,
        value: string(),
      },
      { required: ['name'] },
    ),
  ),
})

const kafka = object({
  apiKey: string(),
  apiVersion: string(),
  clientID: string(),
  role: string({ oneOf: ['produce', 'consume'] }),
  topic: string({ maxLength: 255 }),
})

export const FAMILIES = ['http', 'dns', 'kafka', 'l7proto'] as const
export type Family = (typeof FAMILIES)[number]

/** Read as Cilium 1.19 has them, so that a policy written for that is judged and not only refused. */
const REMOVED = ['kafka', 'l7proto', 'l7'] as const

export const rules = object(
  { http: list(http), kafka: list(kafka), dns: list(fqdn), l7proto: string(), l7: list(map(string())) },
  {
    check: (fields, at) => {
      const set = familiesOf(fields)
      for (const name of REMOVED) {
        if (isSet(fields[name]))
          at.at(name).warn(
            'l7.removed',
            `Cilium 1.20 has no ${name} rules any more, and its definition refuses the policy`,
          )
      }
      if (isSet(fields.l7) && !isSet(fields.l7proto))
        at.at('l7').error('l7.proto', 'l7 needs an l7proto, which says how the rules are to be read')
      else if (set.length === 0)
        at.error('l7.family', `one of ${FAMILIES.join(', ')} must be set; without rules for requests take "rules" away`)
      if (set.length > 1)
        at.error(
          'l7.family',
          `${set.join(' and ')} do not go together: one port is read by one proxy; the policy would not be applied`,
        )
    },
  },
)

const familiesOf = (fields: Fields): Family[] => FAMILIES.filter((name) => isSet(fields[name]))

/** The family whose requests are read; an empty list reads none. */
export function familyOf(l7: unknown): Family | undefined {
  return isObject(l7) ? familiesOf(l7).find((name) => name === 'l7proto' || itemsOf(l7[name]).length > 0) : undefined
}
