import type { Callee, Description, Requests } from '../description/types.js'
import { allow, callerPrincipal } from './identity.js'
import { partName } from './names.js'
import { type KubernetesObject, ownLabels, policyMeta, principal } from './objects.js'
import { ownWaypoint } from './waypoint.js'

/** Which requests may be made: read at a waypoint, which then is the only one that comes to the pods. */
export function requests(description: Description): readonly KubernetesObject[] {
  const { waypoint, calls } = description
  return [
    ...(waypoint === undefined ? [] : ofItsOwn(description, waypoint)),
    ...calls.flatMap((callee) => (callee.behind === undefined ? [] : [ofCallee(description, callee, callee.behind)])),
  ]
}

function ofItsOwn(
  { name, namespace, callers, listens }: Description,
  waypoint: NonNullable<Description['waypoint']>,
): readonly KubernetesObject[] {
  const itself = principal(namespace, waypoint.name)
  return [
    ...(waypoint.own ? ownWaypoint(name, namespace, waypoint.name) : []),
    atService(
      `${name}-requests`,
      namespace,
      `Which requests may ${name} be asked?`,
      name,
      callers.map((caller) => ({ ...caller, principal: callerPrincipal(caller) })),
    ),
    allow(
      `${name}-from-waypoint`,
      namespace,
      `May the waypoint call ${name}?`,
      ownLabels(name),
      [itself],
      listens === undefined ? [] : [listens.port],
    ),
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: policyMeta(`${name}-only-by-waypoint`, namespace, `May anybody call ${name} around the waypoint?`),
      spec: {
        selector: { matchLabels: ownLabels(name) },
        // Beats every ALLOW, also those that name the callers themselves.
        action: 'DENY',
        rules: [{ from: [{ source: { notPrincipals: [itself] } }] }],
      },
    },
  ]
}

const ofCallee = (
  description: Description,
  { namespace, name, methods, paths }: Callee,
  { service }: NonNullable<Callee['behind']>,
): KubernetesObject =>
  atService(
    partName(name, 'requests', description),
    namespace,
    `Which requests may ${description.namespace}/${description.name} ask of ${namespace}/${name}?`,
    service,
    [
      {
        principal: principal(description.namespace, description.name),
        ...(methods !== undefined && { methods }),
        ...(paths !== undefined && { paths }),
      },
    ],
  )

/** Read at the waypoint of this Service, and nowhere else. */
function atService(
  name: string,
  namespace: string,
  question: string,
  service: string,
  callers: readonly (Requests & { readonly principal: string })[],
): KubernetesObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: policyMeta(name, namespace, question),
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: service }],
      action: 'ALLOW',
      ...(callers.length > 0 && { rules: callers.map(rule) }),
    },
  }
}

function rule({ principal: who, methods, paths }: Requests & { readonly principal: string }) {
  return {
    from: [{ source: { principals: [who] } }],
    ...((methods ?? paths) !== undefined && {
      to: [{ operation: { ...(methods !== undefined && { methods }), ...(paths !== undefined && { paths }) } }],
    }),
  }
}
