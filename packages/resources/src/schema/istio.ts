import { quote } from '../diagnostics.js'
import type { At } from './schema.js'
import { list, map, object, open, string } from './schema.js'

/* What Istio's security policies share. */

export const CAPITAL_MODES = ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'] as const

/** Labels of pods; no wildcards. An empty one selects every pod of the namespace, which a missing one does too. */
export const workloadSelector = object(
  {
    matchLabels: map(string({ maxLength: 63, check: noStar }), {
      check: (labels, at) => {
        for (const key of Object.keys(labels)) {
          if (key === '') at.error('selector.key', 'a label with an empty name in matchLabels')
          else noStar(key, at.at(key))
        }
      },
    }),
  },
  {
    check: (selector, at) => {
      const labels = selector.matchLabels
      if (typeof labels !== 'object' || labels === null || Object.keys(labels).length === 0) {
        at.warn(
          'selector.empty',
          'a selector without labels selects every pod of the namespace, as if it were not there; name labels, or take it away',
        )
      }
    },
  },
)

function noStar(text: string, at: At): void {
  if (text.includes('*'))
    at.error('selector.wildcard', `${quote(text)}: a selector takes no "*"; labels are compared as they are`)
}

const TARGETS: Readonly<Record<string, string>> = {
  Service: '',
  ServiceEntry: 'networking.istio.io',
  Gateway: 'gateway.networking.k8s.io',
  GatewayClass: 'gateway.networking.k8s.io',
}

export const targetRef = object(
  {
    group: string({ maxLength: 253 }),
    kind: string({ maxLength: 63 }),
    name: string({
      maxLength: 253,
      check: (name, at) => name === '' && at.error('value.empty', 'the name of a targetRef is empty'),
    }),
    namespace: string({
      check: (namespace, at) =>
        namespace !== '' &&
        at.error(
          'target.namespace',
          `a targetRef to the namespace ${quote(namespace)}: a policy only targets its own namespace; take the field away and put the policy there`,
        ),
    }),
  },
  {
    required: ['kind', 'name'],
    check: (ref, at) => {
      if (typeof ref.kind !== 'string') return
      const group = typeof ref.group === 'string' ? ref.group : ''
      const expected = Object.hasOwn(TARGETS, ref.kind) ? TARGETS[ref.kind] : undefined
      if (expected === undefined) {
        at.at('kind').error(
          'target.kind',
          `a targetRef to a ${quote(ref.kind)}: policies take Service, ServiceEntry, Gateway and GatewayClass`,
        )
      } else if (group !== expected && !(group === 'core' && expected === '')) {
        at.at('group').error(
          'target.group',
          `${ref.kind} belongs to the group ${quote(expected)}, not to ${quote(group)}`,
        )
      }
    },
  },
)

/** What istiod writes; read by nobody here. */
export const status = object({ conditions: list(open), observedGeneration: open, validationMessages: list(open) })
