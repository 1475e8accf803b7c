// What it costs to find the pods of a strategy among 10,000, and to make their intents: by labels, by namespace, by a regular
// expression over their command lines; each against the plainest loop that could give the same answer.
// `node benchmarks/manager-expansion.mjs` after `npm run build`; no network, no files. Exits with 1 when one is over its target.

import { ObjectId } from 'mongodb'
import { readPod } from '../apps/manager/dist/kubernetes/objects.js'
import { intentDocs, newStrategyDoc } from '../apps/manager/dist/strategies/documents.js'
import { expand } from '../apps/manager/dist/strategies/expand.js'

const PODS = 10_000
const TARGET_MS = 100
const ROUNDS = 15

const programs = [
  'nginx -g daemon off;',
  'java -Xmx512m -jar /app/service.jar',
  'node dist/main.js',
  'python3 -m http.server 8080',
  '',
]

/** Pods as the API server has them; `lines`: how many different command lines there are. */
function pods(lines) {
  return Array.from({ length: PODS }, (_, n) =>
    readPod({
      metadata: {
        uid: `0f8c2f9a-0000-4000-8000-${String(n).padStart(12, '0')}`,
        name: `workload-${n % 200}-6d5f9c7b8-${n}`,
        namespace: `team-${n % 40}`,
        labels: {
          'app.kubernetes.io/name': `workload-${n % 200}`,
          'app.kubernetes.io/part-of': `product-${n % 10}`,
          'pod-template-hash': '6d5f9c7b8',
          tier: n % 2 === 0 ? 'front' : 'back',
        },
      },
      spec: {
        nodeName: `node-${n % 100}`,
        serviceAccountName: 'default',
        containers: [
          {
            name: 'main',
            command: [programs[n % programs.length]],
            args: [`--instance=${n % lines}`],
            ports: [{ containerPort: 8080 }],
          },
          { name: 'sidecar', args: ['proxy', `--log=${n % lines}`] },
        ],
      },
      status: { phase: 'Running', podIP: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` },
    }),
  )
}

function median(work) {
  for (let round = 0; round < 3; round++) work()
  const times = []
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    work()
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  return { median: times[ROUNDS >> 1], slowest: times[ROUNDS - 1] }
}

/** The same question, asked with JavaScript's own expressions and without a budget. */
function plain(all, { labelSelectors, k8sNamespace, commandRegex }) {
  const regex = new RegExp(commandRegex)
  return all.filter(
    (pod) =>
      labelSelectors.every(({ key, value }) => (value === '' ? key in pod.labels : pod.labels[key] === value)) &&
      (k8sNamespace.length === 0 || k8sNamespace.includes(pod.namespace)) &&
      (commandRegex === '' || pod.containers.some(({ commandLine }) => regex.test(commandLine))),
  )
}

const everyLabel = [
  { key: 'pod-template-hash', value: '' },
  { key: 'tier', value: '' },
]
const few = pods(50)
const many = pods(PODS)
const cases = [
  [
    'one label, 50 pods',
    few,
    { labelSelectors: [{ key: 'app.kubernetes.io/name', value: 'workload-7' }], k8sNamespace: [], commandRegex: '' },
  ],
  ['one namespace, 250 pods', few, { labelSelectors: [], k8sNamespace: ['team-3'], commandRegex: '' }],
  [
    'two labels and a regex, 50 different lines',
    few,
    { labelSelectors: everyLabel, k8sNamespace: [], commandRegex: '(nginx|java).*--instance=\\d+' },
  ],
  [
    'two labels and a regex, 20,000 different lines',
    many,
    { labelSelectors: everyLabel, k8sNamespace: [], commandRegex: '(nginx|java).*--instance=\\d+' },
  ],
  ['two labels and .*, every pod', many, { labelSelectors: everyLabel, k8sNamespace: [], commandRegex: '.*' }],
  [
    'two labels and a regex that none matches',
    many,
    { labelSelectors: everyLabel, k8sNamespace: [], commandRegex: '(?i)POSTGRES|mysqld' },
  ],
]

console.log(
  `${PODS} pods of two containers; ms, median (slowest) of ${ROUNDS} rounds; target ${TARGET_MS} ms with the intents made`,
)
const creator = new ObjectId()
let worst = 0
for (const [name, all, criteria] of cases) {
  const given = { strategyNamespace: '', priority: 10, executionTime: 20_000_000, ...criteria }
  let found = 0
  const ours = median(() => {
    const matching = expand(all, criteria)
    found = intentDocs(newStrategyDoc(given, creator, Date.now()), matching).length
  })
  const alone = median(() => expand(all, criteria))
  const simple = median(() =>
    plain(all, { ...criteria, commandRegex: criteria.commandRegex.replace('(?i)POSTGRES', '[Pp][Oo][Ss][Tt]GRES') }),
  )
  worst = Math.max(worst, ours.median)
  console.log(
    `${name.padEnd(48)} ${String(found).padStart(6)} found  expand ${fixed(alone)}  with intents ${fixed(ours)}  plain loop ${fixed(simple)}`,
  )
}
function fixed({ median: middle, slowest }) {
  return `${middle.toFixed(1).padStart(5)} (${slowest.toFixed(1)})`
}
if (worst > TARGET_MS) {
  console.log(`${worst.toFixed(1)} ms is more than ${TARGET_MS} ms`)
  process.exitCode = 1
}
