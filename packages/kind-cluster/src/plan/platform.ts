import { canarySteps } from '../doctor/canary.js'
import type { Pins } from '../pins.js'
import type { Place } from '../place.js'
import type { UnpackedBundle } from './bundled.js'
import { chartStep, chartsFor } from './charts.js'
import { commandsFor } from './commands.js'
import { outsideSteps } from './outside.js'
import type { Action, Step } from './types.js'

/** Where the Gateway API's definitions are published. */
export const gatewayApiUrl = ({ gatewayApi }: Pick<Pins, 'gatewayApi'>): string =>
  `https://github.com/kubernetes-sigs/gateway-api/releases/download/v${gatewayApi}/standard-install.yaml`

/** What the walls are made with: Cilium, the Gateway API's definitions, Istio, Kyverno. */
export function platformSteps(place: Pick<Place, 'kubeconfig'>, pins: Pins, bundle?: UnpackedBundle): readonly Step[] {
  const commands = commandsFor(place)
  const { kubectl, waiting } = commands
  const charts = chartsFor(pins, bundle)
  const gatewayApi = bundle?.gatewayApi ?? gatewayApiUrl(pins)
  return [
    chartStep(
      commands,
      charts.cilium,
      {
        title: `Install Cilium ${pins.cilium}`,
        why: 'The nodes have no network yet, and Cilium is what enforces 20-network and 30-cilium. Its values leave room for istio-cni and let ztunnel see the address that was asked for.',
      },
      10,
      [
        {
          kind: 'wait',
          command: waiting(['wait', '--for=condition=Ready', 'nodes', '--all'], 5),
          until: 'every node has a network and takes pods',
        },
        {
          kind: 'wait',
          command: waiting(
            ['--namespace', 'kube-system', 'wait', '--for=condition=Ready', 'pods', '--selector=k8s-app=kube-dns'],
            5,
          ),
          until: 'names are answered, by pods with the label by which the policies know them',
        },
      ],
    ),
    canaryStep(place),
    ...outsideSteps(commands, pins, bundle),
    {
      id: 'gateway-api',
      part: 'platform',
      title: `Install the Gateway API's definitions, ${pins.gatewayApi}`,
      why: 'Kubernetes does not bring them, and istiod looks for them when it starts. Server-side, since they are too long for the annotation that kubectl would write otherwise.',
      actions: [
        { kind: 'run', command: kubectl(['apply', '--server-side', '-f', gatewayApi]) },
        {
          kind: 'wait',
          command: waiting(
            [
              ...['wait', '--for=condition=Established', 'crd/gatewayclasses.gateway.networking.k8s.io'],
              ...['crd/gateways.gateway.networking.k8s.io', 'crd/httproutes.gateway.networking.k8s.io'],
            ],
            1,
          ),
          until: 'the API server takes objects of these kinds',
        },
      ],
    },
    chartStep(
      commands,
      charts.base,
      {
        title: `Install Istio's definitions, ${pins.istio}`,
        why: 'What istiod reads policies from has to be there before it.',
      },
      3,
    ),
    chartStep(
      commands,
      charts.istiod,
      {
        title: `Install istiod ${pins.istio}`,
        why: 'It gives every workload its certificate, tells ztunnel and the waypoints who may call whom, and makes pods of Gateways.',
      },
      5,
    ),
    chartStep(
      commands,
      charts.cni,
      {
        title: `Install Istio's CNI plugin ${pins.istio}`,
        why: "It leads a pod's connections into ztunnel from the pod's first packet on, and so has to be on every node before the first pod of ours.",
      },
      5,
    ),
    chartStep(
      commands,
      charts.ztunnel,
      {
        title: `Install ztunnel ${pins.istio}`,
        why: "The mesh's proxy on each node: it shows and checks certificates, and enforces 40-mtls and 50-identity.",
      },
      5,
    ),
    chartStep(
      commands,
      charts.kyverno,
      {
        title: `Install Kyverno ${pins.kyverno.version}, chart ${pins.kyverno.chart}`,
        why: 'The API server asks it about everything that is to be created: it enforces 10-admission. After the rest of the platform, which it has no need to judge.',
      },
      10,
    ),
  ]
}

/** The proof that the network enforces anything at all, before more is built on it. */
function canaryStep(place: Pick<Place, 'kubeconfig'>): Step {
  const steps = canarySteps(place)
  const actions = steps.slice(0, -1).map(({ title, command, says }): Action => {
    if (says !== undefined) return { kind: 'says', command, meaning: title, ...says }
    return command.args.includes('wait')
      ? { kind: 'wait', command, until: 'both pods of the canary are ready' }
      : { kind: 'run', command, note: title }
  })
  const last = steps.at(-1)
  return {
    id: 'canary',
    part: 'platform',
    title: 'See Cilium drop what a policy denies',
    why: 'A network that enforces nothing takes policies like any other object. One pod calls another and is served; a policy denies it; the same call has to time out.',
    actions,
    files: ['k8s/platform/canary/kustomization.yaml', 'k8s/platform/canary/deny.yaml'],
    done: 'proven',
    ...(last && { cleanup: last.command }),
  }
}
