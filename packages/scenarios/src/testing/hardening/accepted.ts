import type { HeldPod } from './pods.js'

/*
 * What is found and left as it is: by name, with the reason. docs/hardening.md has the same table, and a test holds both to what
 * is found: one more finding fails, and one that is gone fails as well.
 */

export interface Accepted {
  readonly rule: string
  /** Whose it is, as the page says it. */
  readonly whose: string
  readonly why: string
  is(pod: HeldPod): boolean
}

const every = (): boolean => true
const ours = ({ by }: HeldPod): boolean => by !== 'istiod'
const proxies = ({ by }: HeldPod): boolean => by === 'istiod'
const one =
  (...ids: readonly string[]) =>
  ({ id }: HeldPod): boolean =>
    ids.includes(id)
/** A program that waits until something is run in it, and listens on nothing. */
const idle = ({ containers }: HeldPod): boolean => containers.every(({ ports = [] }) => ports.length === 0)
const idleOfOurs = (pod: HeldPod): boolean => ours(pod) && idle(pod)

const databases = one('StatefulSet/demo/postgres', 'StatefulSet/gthulhu/gthulhu-mongodb')
const scheduler = one('DaemonSet/gthulhu-node/gthulhu-scheduler')
const manager = one('Deployment/gthulhu/gthulhu-manager')
const perNode = ({ kind }: HeldPod): boolean => kind === 'DaemonSet' || kind === 'Pod'
const canary = ({ namespace }: HeldPod): boolean => namespace === 'bulkhead-canary'
const written = ({ by }: HeldPod): boolean => by === 'manifest-gen'

export const acceptedPods: readonly Accepted[] = [
  {
    rule: 'high-user',
    whose: 'the two databases',
    is: databases,
    why: "999 is the images' own user, to whom their entrypoints are made. Nothing of the node is mounted, no capability is left, and seccomp is on: the number alone gives nothing",
  },
  {
    rule: 'high-user',
    whose: 'gateways and waypoints',
    is: proxies,
    why: "1337 is Istio's template, which istio-cni and ztunnel know the proxy by",
  },
  {
    rule: 'cpu-limit',
    whose: 'every pod of ours',
    is: ours,
    why: 'CPU can be taken back, memory cannot: requests are what each is sure of, and a limit only slows down who is alone on a node. The seat of the question is `require-limits` in `10-admission`',
  },
  {
    rule: 'disk-limit',
    whose: 'gateways and waypoints',
    is: proxies,
    why: 'what istiod may be told of its pods is little, on purpose (`gateway-overlays`); the LimitRange of each namespace gives them 256 MiB',
  },
  {
    rule: 'disk-limit',
    whose: 'what manifest-gen writes',
    is: written,
    why: 'the LimitRange of the namespace gives it 256 MiB; it has no volume, and a root that is read-only, so that leaves its log',
  },
  {
    rule: 'disk-limit',
    whose: "the canary's two pods",
    is: canary,
    why: 'there while `cluster doctor` asks, and gone when it has its answer',
  },
  {
    rule: 'empty-dir-size',
    whose: 'gateways and waypoints',
    is: proxies,
    why: "Istio's template; what they write counts against the pod's limit of ephemeral-storage, in memory against that of memory",
  },
  {
    rule: 'liveness',
    whose: 'probes that only wait',
    is: idleOfOurs,
    why: 'they listen on nothing; a process that ends is started again',
  },
  {
    rule: 'liveness',
    whose: 'gateways and waypoints',
    is: proxies,
    why: "Istio's template: Envoy's agent ends where Envoy does, and a restart would drop connections that are served",
  },
  { rule: 'liveness', whose: "the canary's server", is: one('Pod/bulkhead-canary/server'), why: 'likewise' },
  { rule: 'readiness', whose: 'probes that only wait', is: idleOfOurs, why: 'nobody calls them' },
  {
    rule: 'probes-differ',
    whose: 'hello-app, the collector, the databases, what manifest-gen writes without paths',
    is: one(
      'Deployment/demo/hello-app',
      'Deployment/sandbox/collector',
      'StatefulSet/demo/postgres',
      'StatefulSet/gthulhu/gthulhu-mongodb',
    ),
    why: "hello-app's page is for when something is wrong, so it stays in its Service; the others know one question. What is dangerous, a liveness probe that asks somebody else, none does",
  },
  {
    rule: 'digest',
    whose: 'every pod',
    is: every,
    why: 'ours are built here and are in no registry, so they have none yet; the others by tags that their makers do not move. [docs/scale.md](scale.md#images-of-ones-own) has digests where there is a registry',
  },
  {
    rule: 'pull-always',
    whose: 'every pod',
    is: every,
    why: '`localhost/bulkhead/*` can be pulled from nowhere: `Always` would start none. `allowed-images` says which names may run',
  },
  {
    rule: 'app-armor',
    whose: 'every pod',
    is: every,
    why: "the container runtime's own profile is in force where the node has AppArmor; by name, a pod does not start where it has none",
  },
  {
    rule: 'user-namespace',
    whose: 'every pod',
    is: every,
    why: 'asks for a kernel and a runtime that not every machine of a classroom has, and then no pod starts. `hostUsers: false` is one more wall where they are there',
  },
  {
    rule: 'no-token',
    whose: 'the manager',
    is: manager,
    why: 'it lists pods and nodes, and is the one that does: the token is mounted in that container alone, and its role has those two verbs',
  },
  {
    rule: 'host-path',
    whose: 'the scheduler',
    is: scheduler,
    why: "it schedules processes, and reads the node's `/proc`, read-only, as a user to whom it shows nobody else's. One exception in `10-admission` holds exactly that",
  },
  {
    rule: 'sysctls',
    whose: 'gateways',
    is: ({ spec, by }) => by === 'istiod' && (spec.securityContext?.sysctls ?? []).length > 0,
    why: "`net.ipv4.ip_unprivileged_port_start`, which the restricted profile lists as safe: port 80 without being root, in the pod's own network",
  },
  {
    rule: 'secrets-in-files',
    whose: 'hello-app, the manager, the databases; where manifest-gen was asked for it',
    is: one(
      'Deployment/demo/hello-app',
      'Deployment/gthulhu/gthulhu-manager',
      'StatefulSet/demo/postgres',
      'StatefulSet/gthulhu/gthulhu-mongodb',
      'Deployment/demo/worker-app',
    ),
    why: "names of users and of a database, which are no secrets; every password is in a file, but hello-app's, whose variables (`DB_PASSWORD`) are as they were given",
  },
  {
    rule: 'network-policy',
    whose: "the canary's two pods",
    is: canary,
    why: 'whether a NetworkPolicy does anything here is what they are to find out',
  },
  {
    rule: 'spread',
    whose: 'every pod but those of the chain, hello-app, the manager and manifest-gen',
    is: (pod) =>
      !perNode(pod) &&
      !one(
        ...['web-api', 'recommendation', 'purchase-history-v1'].map((name) => `Deployment/shop/${name}`),
        ...['Deployment/demo/hello-app', 'Deployment/manifest-gen/manifest-gen'],
      )(pod) &&
      !manager(pod),
    why: 'there is one of each, on a laptop; [k8s/stacks/scale](../k8s/stacks/scale) spreads those that are more',
  },
  ...(['budget', 'replicas'] as const).map((rule) => ({
    rule,
    whose: 'every pod but those on each node',
    is: (pod: HeldPod) => !perNode(pod),
    why: 'there is one of each, on a laptop, and a budget for one keeps a node from being drained; [k8s/stacks/scale](../k8s/stacks/scale) has both for what may be more',
  })),
]

export interface AcceptedObject {
  readonly rule: string
  readonly whose: string
  readonly why: string
  readonly ids: readonly string[]
}

export const acceptedObjects: readonly AcceptedObject[] = [
  {
    rule: 'service-inside',
    whose: 'the three gateways',
    ids: ['Service/shop/shop-gateway-istio', 'Service/demo/hello-gateway-istio', 'Service/gthulhu/gthulhu-gw-istio'],
    why: 'they are the doors, and kind has no load balancer; each has a policy of its own, in `70-ingress`',
  },
  {
    rule: 'account-without-token',
    whose: 'gateways and waypoints',
    ids: [
      ...['ServiceAccount/shop/shop-gateway-istio', 'ServiceAccount/demo/hello-gateway-istio'],
      ...['ServiceAccount/gthulhu/gthulhu-gw-istio', 'ServiceAccount/shop/waypoint', 'ServiceAccount/gthulhu/waypoint'],
    ],
    why: "Istio's template; their pods say it for themselves, by the overlays in `60-requests` and `70-ingress`",
  },
]
