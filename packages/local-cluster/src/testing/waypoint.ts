import { policy, web } from './live.js'

/** As `web`, behind a waypoint where there is one. */
export const served = (message: string): string =>
  web(message).replace(
    'metadata: { name: web, namespace: shop }\nspec: { selector',
    'metadata: { name: web, namespace: shop, labels: { istio.io/use-waypoint: waypoint } }\nspec: { selector',
  )

/** Only these identities may open a connection to web. */
export const identities = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: allow-nothing, namespace: shop }
spec: {}
---${policy('client', 'ALLOW', 'client')}`

/** A waypoint with one pod, or with none. */
export const waypoint = (replicas = 1): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: waypoint, namespace: shop, labels: { istio.io/waypoint-for: service } }
spec:
  gatewayClassName: istio-waypoint
  listeners: [{ name: mesh, port: 15008, protocol: HBONE }]
  infrastructure: { parametersRef: { group: "", kind: ConfigMap, name: waypoint } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: waypoint, namespace: shop }
data: { deployment: "spec: { replicas: ${replicas} }" }
`

const requestsOf = (method: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web-requests, namespace: shop }
spec:
  targetRefs: [{ kind: Service, group: "", name: web }]
  action: ALLOW
  rules:
    - from: [{ source: { principals: [cluster.local/ns/shop/sa/client] } }]
      to: [{ operation: { methods: [${method}] } }]
`

/** What 60-requests holds beside the Gateway: who may ask what, that the waypoint is let in, and nobody past it. */
export const requests = (method = 'GET'): string => `${requestsOf(method)}
---${policy('waypoint', 'ALLOW', 'waypoint')}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: past-the-waypoint, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  action: DENY
  rules: [{ from: [{ source: { notPrincipals: [cluster.local/ns/shop/sa/waypoint] } }] }]
`
