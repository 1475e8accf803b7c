import { merkleRoot } from '@bulkhead/intents'
import { readPod } from '../../kubernetes/objects.js'
import type { PodView } from '../../kubernetes/types.js'
import { fitting } from '../../push/fit.js'
import type { IntentDoc, StrategyDoc } from '../../store/documents.js'
import { expand } from '../../strategies/expand.js'
import { byStrategy, isEmpty, keyOf, planStrategy, type StrategyPlan } from '../plan.js'
import { indexPods } from '../pod-index.js'
import { intentsOf, strategyDoc } from './documents.js'

/* A large cluster, and all that a reconciliation thinks about it: everything but the database and the network. */

export interface BigCluster {
  readonly pods: readonly PodView[]
  readonly strategies: readonly StrategyDoc[]
  readonly intents: readonly IntentDoc[]
}

const programs = ['nginx -g daemon off;', 'java -jar /app/service.jar', 'node dist/main.js', 'python3 -m http.server']

/** Pods of workloads of 20, on nodes of 100; most strategies mean a workload, some a namespace's programs, some two labels. */
export function bigCluster(podCount: number, strategyCount: number): BigCluster {
  const workloads = Math.max(1, podCount / 20)
  const pods = Array.from({ length: podCount }, (_, n) =>
    readPod({
      metadata: {
        uid: `0f8c2f9a-0000-4000-8000-${String(n).padStart(12, '0')}`,
        name: `workload-${n % workloads}-6d5f9c7b8-${n}`,
        namespace: `team-${n % 40}`,
        labels: {
          'app.kubernetes.io/name': `workload-${n % workloads}`,
          'app.kubernetes.io/part-of': `product-${n % 10}`,
          'pod-template-hash': '6d5f9c7b8',
          tier: n % 2 === 0 ? 'front' : 'back',
        },
      },
      spec: {
        nodeName: `node-${Math.floor(n / 100)}`,
        containers: [{ name: 'main', command: [programs[n % programs.length]], args: [`--instance=${n % 50}`] }],
      },
      status: { phase: 'Running', podIP: '10.0.0.1' },
    }),
  )
  const strategies = Array.from({ length: strategyCount }, (_, n) => {
    const name = { key: 'app.kubernetes.io/name', value: `workload-${n % workloads}` }
    if (n % 10 === 1)
      return strategyDoc({ labelSelectors: [], k8sNamespace: [`team-${n % 40}`], commandRegex: 'java|node' })
    if (n % 10 === 2) return strategyDoc({ labelSelectors: [name, { key: 'tier', value: '' }], k8sNamespace: [] })
    return strategyDoc({ labelSelectors: [name], k8sNamespace: [] })
  })
  const intents = strategies.flatMap((strategy) => intentsOf(strategy, ...expand(pods, strategy)))
  return { pods, strategies, intents }
}

/** All that one run plans, and the root of every node. */
export function think({ pods, strategies, intents }: BigCluster): {
  readonly plans: readonly StrategyPlan[]
  readonly roots: ReadonlyMap<string, string>
} {
  const index = indexPods(pods)
  const grouped = byStrategy(intents)
  const plans: StrategyPlan[] = []
  for (const strategy of strategies) {
    const plan = planStrategy(strategy, index, grouped.get(keyOf(strategy._id)) ?? [])
    if (plan !== 'too-slow' && !isEmpty(plan)) plans.push(plan)
  }
  const byNode = new Map<string, IntentDoc[]>()
  for (const intent of intents) {
    const list = byNode.get(intent.nodeID)
    if (list === undefined) byNode.set(intent.nodeID, [intent])
    else list.push(intent)
  }
  return { plans, roots: new Map([...byNode].map(([node, docs]) => [node, merkleRoot(fitting(docs).intents)])) }
}

/** The cluster a while later: of each hundred pods, two are new, two are gone, and one has other labels. */
export function later({ pods, ...rest }: BigCluster): BigCluster {
  const changed = pods.flatMap((pod, n): PodView[] => {
    if (n % 49 === 0) return [{ ...pod, uid: pod.uid.replace('0f8c2f9a', '1f8c2f9a'), name: `${pod.name}-next` }]
    return n % 101 === 1 ? [{ ...pod, labels: { ...pod.labels, canary: 'true' } }] : [pod]
  })
  return { pods: changed, ...rest }
}
