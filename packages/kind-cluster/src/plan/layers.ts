import type { Commands } from './commands.js'
import type { Action } from './types.js'

/** The layers, in the order in which they are put up. */
export const layerNames = [
  '10-admission',
  '20-network',
  '30-cilium',
  '40-mtls',
  '50-identity',
  '60-requests',
  '70-ingress',
] as const
export type LayerName = (typeof layerNames)[number]

/** Gateways and waypoints by `namespace/name`; what their Deployments are called, and the files that have to be there first. */
const waypoints = ['shop', 'gthulhu']
/** Doors: a Gateway each, of which istiod makes a Deployment and a Service with this name and `-istio`. */
export const doors = [
  { namespace: 'shop', name: 'shop-gateway', port: 30080 },
  { namespace: 'demo', name: 'hello-gateway', port: 30081 },
  { namespace: 'gthulhu', name: 'gthulhu-gw', port: 30450 },
] as const

const folder = (layer: LayerName): string => `k8s/layers/${layer}`

/** Puts a wall up, in the order that leaves nothing open or refused for longer than it has to be (k8s/README.md). */
export function layerOn(commands: Commands, layer: LayerName): readonly Action[] {
  const whole: Action = { kind: 'run', command: commands.kubectl(['apply', '-k', folder(layer)]) }
  if (layer === '10-admission') return [whole, policiesReady(commands)]
  if (layer === '60-requests') {
    const files = waypoints.flatMap((namespace) =>
      ['waypoint-pods', 'waypoint'].flatMap((file) => ['-f', `${folder(layer)}/${namespace}/${file}.yaml`]),
    )
    const ready = waypoints.flatMap((namespace) => gatewayReady(commands, namespace, 'waypoint', 'waypoint'))
    return [
      {
        kind: 'run',
        command: commands.kubectl(['apply', ...files]),
        note: 'The waypoints, and what is laid over their pods',
      },
      ...ready,
      { ...whole, note: 'And the rest' },
    ]
  }
  if (layer === '70-ingress')
    return [whole, ...doors.flatMap(({ namespace, name }) => gatewayReady(commands, namespace, name, `${name}-istio`))]
  return [whole]
}

/** Takes a wall down, with what istiod has made of its Gateways. */
export function layerOff({ kubectl, waiting }: Commands, layer: LayerName): readonly Action[] {
  const gone = gatewaysOf(layer).map(
    ({ namespace, name }): Action => ({
      kind: 'wait',
      command: waiting(goneWithGateway(namespace, name), 3),
      until: `what istiod had made of ${namespace}/${name} is gone, too`,
    }),
  )
  return [{ kind: 'run', command: kubectl(['delete', '-k', folder(layer), '--ignore-not-found']) }, ...gone]
}

function gatewaysOf(layer: LayerName): readonly { readonly namespace: string; readonly name: string }[] {
  if (layer === '60-requests') return waypoints.map((namespace) => ({ namespace, name: 'waypoint' }))
  return layer === '70-ingress' ? doors : []
}

/**
 * Waits until what istiod makes of a Gateway has followed it, by the garbage collector's hand; at once where there is nothing. One of the
 * same name that comes before would be called ready by the old one's pods, and lose them.
 */
export const goneWithGateway = (namespace: string, name: string): readonly string[] => [
  ...['--namespace', namespace, 'wait', '--for=delete', 'deployments,services,serviceaccounts,pods'],
  // Anybody's pod may have the first alone.
  `--selector=gateway.networking.k8s.io/gateway-name=${name},gateway.istio.io/managed`,
]

/**
 * What is waited for of Kyverno's policies. Not `ready`: that also wants its reports controller to list whatever a policy is about,
 * Secrets and debug containers among them.
 */
export const policiesAsked: readonly string[] = [
  'wait',
  `--for=jsonpath={.status.conditionStatus.conditions[?(@.type=="WebhookConfigured")].status}=True`,
  ...['validatingpolicies.policies.kyverno.io', '--all'],
]

function policiesReady({ waiting }: Commands): Action {
  return {
    kind: 'wait',
    command: waiting(policiesAsked, 3),
    until: 'Kyverno has told the API server to ask it about what each policy is for',
  }
}

function gatewayReady(
  { waiting }: Commands,
  namespace: string,
  gateway: string,
  deployment: string,
): readonly Action[] {
  return [
    {
      kind: 'wait',
      command: waiting(['--namespace', namespace, 'wait', '--for=condition=Programmed', `gateway/${gateway}`], 5),
      until: `istiod has made what ${namespace}/${gateway} stands for`,
    },
    {
      kind: 'wait',
      command: waiting(['--namespace', namespace, 'rollout', 'status', `deployment/${deployment}`], 5),
      until: `the pods of ${namespace}/${gateway} are ready`,
    },
  ]
}
