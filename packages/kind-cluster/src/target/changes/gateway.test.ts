import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bench, everything } from '../testing/bench.js'

const waypoint = everything.objects.find(
  ({ kind, metadata }) => kind === 'Gateway' && metadata.name === 'waypoint' && metadata.namespace === 'shop',
)

it('a Gateway that a change takes out is out when what was made of it is gone, and comes back after that', async (t) => {
  const programmed = { conditions: [{ type: 'Programmed', status: 'True', observedGeneration: 1 }] }
  const back = { ...waypoint, status: programmed }
  const owner = { kind: 'Gateway', uid: waypoint?.metadata.uid }
  const made = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 1 } },
    metadata: { name: 'waypoint', namespace: 'shop', generation: 1, ownerReferences: [owner] },
    status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  }
  const text = (object: object) => ({ stdout: JSON.stringify(object) })
  const { target, tools } = bench(t, [
    [/^kubectl delete gateways\.gateway\.networking\.k8s\.io\/waypoint /, {}],
    [/^kubectl --namespace shop wait --for=delete /, {}],
    ['kubectl create -f -', {}],
    [/^kubectl get gateways\.gateway\.networking\.k8s\.io\/waypoint /, [text(back), { stdout: '' }, text(back)]],
    ['kubectl get deployments.apps -n shop', text({ apiVersion: 'v1', kind: 'List', items: [made] })],
  ])
  await target.apply('x', { without: ['Gateway/shop/waypoint'] })
  await target.withdraw('x')
  const steps = tools.lines().flatMap((line) => /^kubectl (delete|--namespace shop wait|create) /.exec(line)?.[1] ?? [])
  assert.deepEqual(steps, ['delete', '--namespace shop wait', 'create'])
  const [wait] = tools.lines().filter((line) => line.includes('--for=delete'))
  assert.match(
    wait ?? '',
    /--selector=gateway\.networking\.k8s\.io\/gateway-name=waypoint,gateway\.istio\.io\/managed /,
  )
  assert.deepEqual(
    tools.unused().filter((one) => one.includes('wait')),
    [],
  )
})
