import { quote } from '../diagnostics.js'
import { CAPITAL_MODES, status, workloadSelector } from './istio.js'
import { objectMeta } from './metadata.js'
import { map, object, string } from './schema.js'

const mutualTls = object({
  mode: string({
    oneOf: CAPITAL_MODES,
    check: (mode, at) => {
      if (mode === 'DISABLE')
        at.warn(
          'ztunnel.disable',
          'the ambient mesh has no DISABLE and reads it as PERMISSIVE, so mutual TLS goes on working; write PERMISSIVE if that is meant',
        )
    },
  }),
})

/**
 * security.istio.io/v1 PeerAuthentication. Source: its CustomResourceDefinition and istiod's webhook:
 * port-level modes need a selector with labels, at least one port, and ports from 1 to 65535.
 */
export const peerAuthentication = object(
  {
    apiVersion: string(),
    kind: string(),
    metadata: objectMeta,
    spec: object(
      {
        selector: workloadSelector,
        mtls: mutualTls,
        portLevelMtls: map(mutualTls, {
          check: (ports, at) => {
            if (Object.keys(ports).length === 0)
              at.error('ports.empty', 'portLevelMtls is there and names no port; name one, or take it away')
            for (const port of Object.keys(ports)) {
              if (!/^[0-9]{1,9}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
                at.at(port).error(
                  'value.port',
                  `${quote(port)} in portLevelMtls is not a port; it takes the container's port, a number from 1 to 65535`,
                )
              }
            }
          },
        }),
      },
      {
        check: (spec, at) => {
          if (typeof spec.portLevelMtls !== 'object' || spec.portLevelMtls === null) return
          const selector = spec.selector as { matchLabels?: unknown } | null | undefined
          const labels = selector?.matchLabels
          if (typeof labels !== 'object' || labels === null || Object.keys(labels).length === 0) {
            at.at('portLevelMtls').error(
              'ports.no-selector',
              'portLevelMtls needs a selector with labels: ports belong to workloads, not to a namespace or a mesh',
            )
          }
        },
      },
    ),
    status,
  },
  {
    check: (policy, at) => {
      const metadata = policy.metadata as { annotations?: unknown } | null | undefined
      const annotations = metadata?.annotations
      if (typeof annotations === 'object' && annotations !== null && Object.hasOwn(annotations, 'istio.io/dry-run')) {
        at.at('metadata', 'annotations', 'istio.io/dry-run').error(
          'annotation.dry-run',
          'istio.io/dry-run works on AuthorizationPolicy only, and is refused here',
        )
      }
    },
  },
)
