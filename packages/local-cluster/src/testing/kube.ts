import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanUp, eventually, killed } from '@bulkhead/testing'
import type { LocalCluster } from '../cluster.js'

/** A pod that has an account, and a role for it where one is given. */
export const reader = (rules: string, name = 'reader') => `
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name}, namespace: shop }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${name} }
rules: ${rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: ${name} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name} }
subjects: [{ kind: ServiceAccount, name: ${name}, namespace: shop }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      serviceAccountName: ${name}
      containers:
        - name: probe
          image: localhost/bulkhead/probe:0.1.0
          env:
            - { name: ACCESS, value: /var/run/secrets/kubernetes.io/serviceaccount }
            - { name: SERVER, value: "https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)" }
`

export const readPodsAndNodes = `[{ apiGroups: [""], resources: [pods, nodes], verbs: [get, list, watch] }]`

const here = fileURLToPath(new URL('../..', import.meta.url))

/** What a program starts with that asks the API server by `@kubernetes/client-node`, as it is published. */
const prelude = `
const k8s = await import('@kubernetes/client-node')
const { ACCESS, SERVER } = process.env
const config = new k8s.KubeConfig()
config.loadFromOptions({
  clusters: [{ name: 'c', server: SERVER, caFile: ACCESS + '/ca.crt' }],
  users: [{ name: 'u', authProvider: { name: 'tokenFile', config: { tokenFile: ACCESS + '/token' } } }],
  contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
  currentContext: 'x',
})
const core = config.makeApiClient(k8s.CoreV1Api)
const say = (value) => console.log(JSON.stringify(value))
const failed = (error) => say({ code: error.code, ...JSON.parse(typeof error.body === 'string' ? error.body : JSON.stringify(error.body ?? null)) })
`

/** Runs a program as a pod of the workload; what it says are lines of JSON. */
export function asPod(t: TestContext, cluster: LocalCluster, workload: string, program: string) {
  const { env, revoke } = cluster.exec(workload)
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', `${prelude}\n${program}`], {
    cwd: here,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  cleanUp(t, revoke)
  cleanUp(t, () => killed(child))
  let out = ''
  let wrong = ''
  child.stdout?.on('data', (chunk) => {
    out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    wrong += chunk
  })
  const said = (): readonly Record<string, unknown>[] =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return {
    said,
    heard: (what: string, holds: (line: Record<string, unknown>) => boolean) =>
      eventually(`${what} is said; said was ${out} ${wrong}`, () => said().some(holds), 10_000),
    /** All that it has said, when it has ended. */
    async over(): Promise<readonly Record<string, unknown>[]> {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
      if (wrong !== '') throw new Error(wrong)
      return said()
    },
  }
}
