import type { ScenarioResult } from './result.js'
import { alwaysOn, isAdmission } from './walls.js'

type Judged = Pick<
  ScenarioResult,
  'scenario' | 'expected' | 'predicted' | 'observed' | 'observation' | 'differences' | 'because'
>

interface Cause {
  /** Whether a result looks as if it were this. */
  readonly looks: (result: Judged) => boolean
  /** What to look at, and with which command. */
  readonly says: (result: Judged) => string
}

const expectedStop = ({ expected }: Judged): boolean => expected.outcome === 'stopped'
const got = ({ observed }: Judged): boolean => observed?.outcome === 'through'
const stopped = ({ observed }: Judged): boolean => observed?.outcome === 'stopped'
const layerOf = ({ expected }: Judged): string | undefined => expected.reason?.layer
const predictedOtherwise = ({ predicted, expected }: Judged): boolean =>
  predicted !== undefined &&
  (predicted.outcome !== expected.outcome || predicted.reason?.code !== expected.reason?.code)
const atLayer =
  (...layers: readonly string[]) =>
  (result: Judged): boolean =>
    layers.includes(layerOf(result) ?? '')
const namespaceOf = ({ scenario: { from } }: Judged): string =>
  from.includes('/') ? (from.split('/')[0] ?? from) : 'shop'

/** Whoever stopped it is behind the network. */
const stoppedBehind = ({ expected, observed }: Judged): boolean =>
  expected.outcome === 'stopped' && observed?.reason !== undefined && !observed.reason.code.startsWith('cni.')

/** In the mesh what is dropped is a connection that ends late, and whoever calls has an identity. */
const pastTheMesh = ({ observed }: Judged): boolean =>
  observed?.symptom === 'timeout' || observed?.reason?.code === 'mtls.strict-no-identity'

const otherReason = ({ expected, observed, differences }: Judged): boolean =>
  observed?.reason !== undefined && (observed.reason.code !== expected.reason?.code || differences.length > 0)

/** As it can be pasted in the clone. Whatever kubeconfig its reader has means another cluster. */
export const kubectl = 'kubectl --kubeconfig .bulkhead/kind/kubeconfig'

/** `-n shop authorizationpolicy/web-api-rbac`, as kubectl takes it. */
function kubectlName(id: string): string {
  const [kind = '', ...names] = id.split('/')
  const name = names.at(-1) ?? ''
  return `${names.length > 1 ? `-n ${names[0]} ` : ''}${kind.toLowerCase()}/${name}`
}

/** What is likely behind a difference on a cluster, most likely first. */
const causes: readonly Cause[] = [
  {
    looks: predictedOtherwise,
    says: (result) => {
      // Of a wall that is half there nothing is expected, and what is left of it is what the engine sees.
      const named = [layerOf(result), result.predicted?.reason?.layer]
      const layer = named.find((one) => one !== undefined && !alwaysOn.has(one))
      const what = layer === undefined ? 'k8s/workloads' : `k8s/layers/${layer}`
      return `the objects on the cluster are not those of the files: ${kubectl} diff -k ${what}`
    },
  },
  {
    looks: (result) => expectedStop(result) && got(result) && isAdmission(result.expected),
    says: () =>
      `Kyverno's webhook was not asked (its scope, or a namespace it leaves out), or its policies are not ready: ${kubectl} get validatingpolicies; ${kubectl} get validatingwebhookconfigurations`,
  },
  {
    looks: (result) => expectedStop(result) && got(result) && !predictedOtherwise(result),
    says: (result) =>
      `the policy is not in force yet: what kubectl applied reaches ztunnel and Cilium a moment later; npx bulkhead verify ${result.scenario.id} --on kind`,
  },
  {
    looks: (result) => (got(result) || stoppedBehind(result)) && atLayer('20-network', '30-cilium')(result),
    says: () => 'the CNI does not enforce policies, or it is another one: npx bulkhead cluster doctor',
  },
  {
    looks: (result) => got(result) && atLayer('40-mtls', '50-identity', '60-requests')(result),
    says: () =>
      `the destination is not in the mesh, so that nothing of Istio is asked there: ${kubectl} get pods -A -L istio.io/dataplane-mode, and what istio-cni says: ${kubectl} logs -n istio-system ds/istio-cni-node`,
  },
  {
    looks: (result) => stopped(result) && !expectedStop(result) && result.observed?.symptom === 'tls-refused',
    says: () => 'a clock: certificates hold for hours, and a machine that slept may be behind; restart Docker',
  },
  {
    looks: (result) =>
      stopped(result) &&
      !expectedStop(result) &&
      ['refused', 'gateway-503', 'gateway-504'].includes(result.observed?.symptom ?? ''),
    says: () => 'the service is not up: npx bulkhead cluster status',
  },
  {
    looks: (result) => stopped(result) && !expectedStop(result) && result.observed?.symptom.startsWith('dns-') === true,
    says: () => `names are not answered: ${kubectl} get pods -n kube-system -l k8s-app=kube-dns`,
  },
  {
    looks: (result) => stopped(result) && !expectedStop(result),
    says: (result) =>
      `a policy that is not from k8s/ is in force, or one of ours is old: ${kubectl} get networkpolicies,ciliumnetworkpolicies,authorizationpolicies -n ${namespaceOf(result)}`,
  },
  {
    looks: (result) =>
      stopped(result) &&
      (expectedStop(result) ? result.observed?.symptom !== result.expected.symptom : pastTheMesh(result)),
    says: (result) =>
      `the caller's pod is in the mesh and should not be, or the other way round: ${kubectl} get pods -n ${namespaceOf(result)} -L istio.io/dataplane-mode`,
  },
  {
    looks: (result) =>
      got(result) && !expectedStop(result) && result.differences.length > 0 && !predictedOtherwise(result),
    says: () => 'another image is running than the one of this clone: npx bulkhead cluster up builds and loads them',
  },
  {
    looks: (result) => stopped(result) && expectedStop(result) && otherReason(result),
    says: ({ observed }) => {
      const [policy] = observed?.reason?.policies ?? []
      const where = policy === undefined ? undefined : kubectlName(policy.policy)
      return where === undefined
        ? 'another wall came first, or stands where none should: npx bulkhead layer --on kind'
        : `a policy that is not from k8s/, or one that differs from its file: ${kubectl} get ${where} -o yaml`
    },
  },
  {
    looks: ({ because }) => because?.includes('its control') === true,
    says: () => 'the service is not up, or a wall stops even who may call: npx bulkhead cluster status',
  },
]

/** What to look at, most likely first; at least one sentence for a result that is not as expected. */
export function causesOf(result: Judged): readonly string[] {
  const likely = causes.filter(({ looks }) => looks(result)).map(({ says }) => says(result))
  if (likely.length > 0) return likely
  return ['what the cluster says of it: npx bulkhead flows --on kind, and npx bulkhead cluster status']
}
