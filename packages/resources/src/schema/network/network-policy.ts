import { quote } from '../../diagnostics.js'
import { didYouMean } from '../../suggest.js'
import { objectMeta } from '../metadata.js'
import type { At } from '../schema.js'
import { integer, list, object, open, string } from '../schema.js'
import { labelSelector } from './selectors.js'
import { checkBlock, checkExceptions, type Fields, isPortName, isSet, itemsOf } from './values.js'

/* networking.k8s.io/v1 NetworkPolicy. Source: the API's types, and the API server's validation of them. */

const ipBlock = object(
  { cidr: string({ check: checkBlock }), except: list(string({ check: checkBlock })) },
  { required: ['cidr'], check: ({ cidr, except }, at) => checkExceptions(cidr, except, at, true) },
)

const peer = object(
  { podSelector: labelSelector, namespaceSelector: labelSelector, ipBlock },
  {
    check: (fields, at) => {
      const selectors = ['podSelector', 'namespaceSelector'].filter((name) => isSet(fields[name]))
      if (selectors.length > 0 && isSet(fields.ipBlock)) {
        at.at('ipBlock').error(
          'peer.combination',
          `an ipBlock does not go together with ${selectors.join(' and ')} in one peer; make two entries of the list, which are either-or`,
        )
      } else if (selectors.length === 0 && !isSet(fields.ipBlock)) {
        at.error(
          'peer.empty',
          'a peer that names nobody is refused; for every pod of the namespace write podSelector: {}, for everybody take the whole list away',
        )
      }
    },
  },
)

const port = object(
  {
    protocol: string({ oneOf: ['TCP', 'UDP', 'SCTP'] }),
    port: { type: 'integerOrString' },
    endPort: integer,
  },
  { check: checkPort },
)

function checkPort({ port: first, endPort }: Fields, at: At): void {
  if (typeof first === 'number' && (first < 1 || first > 65535)) {
    at.at('port').error('value.port', `${first} is not a port: from 1 to 65535`)
  } else if (typeof first === 'string' && !isPortName(first)) {
    const number = /^[0-9]+$/.test(first) ? '; a number goes without quotes' : ''
    at.at('port').error(
      'value.port',
      `${quote(first)} is not the name of a port: at most 15 of a-z, 0-9 and "-", with a letter${number}`,
    )
  }
  if (typeof endPort !== 'number') return
  const end = at.at('endPort')
  if (typeof first !== 'number') {
    end.error('ports.end', `an endPort needs a number as port${isSet(first) ? `, and that is ${quote(first)}` : ''}`)
  } else if (endPort < first || endPort > 65535) {
    end.error('ports.end', `${endPort} is not the end of a range that begins at ${first}: from ${first} to 65535`)
  }
}

const TYPES = ['Ingress', 'Egress']

const spec = object(
  {
    podSelector: labelSelector,
    policyTypes: list(string({ check: checkType }), {
      check: (types, at) => {
        if (types.length > TYPES.length)
          at.error('policy-types', 'there are two directions, Ingress and Egress; name each once')
      },
    }),
    ingress: list(object({ from: list(peer), ports: list(port) })),
    egress: list(object({ to: list(peer), ports: list(port) })),
  },
  { check: warnOfIgnoredSection },
)

function checkType(type: string, at: At): void {
  if (!TYPES.includes(type))
    at.error('field.value', `${quote(type)} is neither Ingress nor Egress${didYouMean(type, TYPES)}`)
}

/** The API ignores such a section; Cilium's reader looks at both sections whatever policyTypes say. */
function warnOfIgnoredSection(fields: Fields, at: At): void {
  const types = itemsOf(fields.policyTypes)
  // Without types: Ingress always, Egress as soon as there is a rule for it.
  if (types.length === 0) {
    if (Array.isArray(fields.egress) && fields.egress.length === 0)
      at.at('egress').warn(
        'policy-types.section',
        'an empty egress list without policyTypes isolates nothing: only Ingress is taken as meant; write policyTypes: [Ingress, Egress] if no egress is to be allowed',
      )
    return
  }
  for (const [section, type] of [
    ['ingress', 'Ingress'],
    ['egress', 'Egress'],
  ] as const) {
    if (types.includes(type) || itemsOf(fields[section]).length === 0) continue
    at.at(section).warn(
      'policy-types.section',
      `policyTypes does not name ${type}, so by the API these rules have no effect; Cilium reads them all the same, and isolates the pods; name ${type} in policyTypes, or take the section away`,
    )
  }
}

export const networkPolicy = object(
  { apiVersion: string(), kind: string(), metadata: objectMeta, spec, status: open },
  {
    check: ({ spec: own }, at) => {
      if (!isSet(own))
        at.warn(
          'policy.no-spec',
          'there is no spec, so it selects every pod of its namespace and allows nobody to reach them; write spec: { podSelector: {} } if that is meant',
        )
    },
  },
)
