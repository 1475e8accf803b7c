// What admission costs, warm: a pod and a Deployment against every policy of layer 10, one expression of CEL, and the
// policies' compilation.
// `node benchmarks/admission.mjs` after `npm run build`; no network, no files but k8s/.
import { fileURLToPath } from 'node:url'
import { loadManifests } from '@bulkhead/resources'
import { admit, compileAdmission } from '@bulkhead/verdict/admission'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The processor's microseconds per call: the median of 21 rounds, and the slowest, after a warm-up. Other work does not count. */
function measure(name, calls, call) {
  for (let i = 0; i < calls; i++) call(i)
  const rounds = []
  for (let round = 0; round < 21; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < calls; i++) call(i)
    const { user, system } = process.cpuUsage(start)
    rounds.push((user + system) / calls)
  }
  rounds.sort((a, b) => a - b)
  const [median, slowest] = [rounds[10], rounds[20]]
  console.log(
    `${name.padEnd(52)} ${median.toFixed(1).padStart(8)} us median ${slowest.toFixed(1).padStart(8)} us slowest round`,
  )
  return median
}

const { resources } = await loadManifests([`${root}k8s/workloads`, `${root}k8s/layers`], { relativeTo: root })
const policies = compileAdmission(resources)
const count = resources.filter(({ kind }) => kind === 'ValidatingPolicy').length
console.log(`${resources.length} objects, ${count} policies of layer 10`)

const { resources: good } = await loadManifests([`${root}k8s/layers/10-admission/disallow-root-user/good.yaml`], {
  relativeTo: root,
})
const { resources: bad } = await loadManifests([`${root}k8s/layers/10-admission/disallow-root-user/bad.yaml`], {
  relativeTo: root,
})
const deployment = resources.find(({ id }) => id === 'Deployment/shop/web-api')

// A pod that a controller has made of a workload of ours: the one that most policies look at, and that all let in.
const { template } = deployment.object.spec
const metadata = { ...template.metadata, name: 'web-api-5b9c-x7k2p', namespace: 'shop' }
const pod = {
  ...deployment,
  id: `Pod/shop/${metadata.name}`,
  kind: 'Pod',
  name: metadata.name,
  object: { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec },
}
const user = { username: 'system:serviceaccount:kube-system:replicaset-controller', groups: ['system:authenticated'] }
const { outcome, steps } = admit({ operation: 'CREATE', object: pod, user }, policies)
console.log(`a pod of web-api: ${outcome}, ${steps.length} steps`)

const text = JSON.stringify(pod.object)
const unit = measure('baseline: the pod read from JSON and written', 5000, () => JSON.stringify(JSON.parse(text)))
const warm = measure('admit, a pod that all policies let in', 500, () =>
  admit({ operation: 'CREATE', object: pod, user }, policies),
)
measure('admit, a pod that is refused, with the fields', 500, () =>
  admit({ operation: 'CREATE', object: bad[0] }, policies),
)
measure('admit, a pod of a namespace without Pod Security', 500, () =>
  admit({ operation: 'CREATE', object: good[0] }, policies),
)
measure('admit, a Deployment and its first pod', 300, () =>
  admit({ operation: 'CREATE', object: deployment }, policies),
)
measure('compileAdmission, all objects', 5, () => compileAdmission(resources))

console.log(`a pod costs what reading and writing it ${(warm / unit).toFixed(0)} times does`)

// The target: one pod against all of layer 10.
if (warm > 200) {
  console.log(`${warm.toFixed(1)} us is above the target of 200 us`)
  process.exitCode = 1
}
