import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { root } from '../target/testing.js'

/** What is run by lines that are typed where the helpers are; kubectl and npx are stand-ins that note their arguments. */
function typed(t: TestContext, lines: string): readonly string[] {
  const folder = temporaryFolder(t)
  const log = path.join(folder, 'log')
  const pods = 'pod/cilium-1\\npod/cilium-2\\n'
  for (const name of ['kubectl', 'npx', 'istioctl']) {
    const says =
      name === 'kubectl' ? `case "$*" in *'get pod'*) printf '${pods}' ;; *' -i '*) cat >> '${log}' ;; esac\n` : ''
    writeFileSync(path.join(folder, name), `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> '${log}'\n${says}`)
    chmodSync(path.join(folder, name), 0o755)
  }
  const env = { ...process.env, PATH: `${folder}${path.delimiter}${process.env.PATH}` }
  const script = ['-euc', `. docs/labs/cluster.sh\n${lines}`]
  const { status, stderr } = spawnSync('sh', script, { cwd: root, env, encoding: 'utf8', input: 'of the terminal' })
  assert.equal(status, 0, stderr)
  return readFileSync(log, 'utf8').trimEnd().split('\n')
}

const ours = '--kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead'

test("the labs' kubectl and istioctl mean the cluster that is ours, whatever is in KUBECONFIG", (t) => {
  assert.deepEqual(typed(t, 'kubectl get pods -A; istioctl waypoint status -n shop'), [
    `kubectl ${ours} get pods -A`,
    `istioctl ${ours} waypoint status -n shop`,
  ])
})

test("a call is made by the Node.js of a workload's own program, or of a pod's; nothing else is asked for", (t) => {
  const program = readFileSync(path.join(root, 'docs/labs/at.mjs'), 'utf8').trimEnd().split('\n')
  const [first, ...others] = program
  const of = (where: string, call: string): readonly string[] => [
    `kubectl ${ours} ${where} -- node --input-type=module -e ${first}`,
    ...others.slice(0, -1),
    `${others.at(-1)} -- ${call}`,
  ]
  assert.deepEqual(typed(t, "at shop/sleep curl -sS -w '%{http_code} x' http://web-api:8080/"), [
    ...of('-n shop exec deploy/sleep', 'curl -sS -w %{http_code} x http://web-api:8080/'),
  ])
  assert.deepEqual(typed(t, 'at new-team/pod/worker nslookup a.example'), [
    ...of('-n new-team exec pod/worker', 'nslookup a.example'),
  ])
  // Lines that are pasted into a terminal are not for the first of them: stdin goes along where it is asked for.
  assert.deepEqual(typed(t, 'echo hello | at demo/hello-app nc -u -w 2 a.example 443'), [
    ...of('-n demo exec -i deploy/hello-app', 'nc -u -w 2 a.example 443'),
    'hello',
  ])
  assert.deepEqual(typed(t, 'echo hello | at demo/hello-app curl -d @- http://a/'), [
    ...of('-n demo exec -i deploy/hello-app', 'curl -d @- http://a/'),
    'hello',
  ])
})

test("every node's Hubble is asked", (t) => {
  const asked = typed(t, 'hubble observe --verdict DROPPED')
  assert.deepEqual(
    asked.filter((line) => line.includes(' exec ')),
    [1, 2].map(
      (of) =>
        `kubectl ${ours} -n kube-system exec pod/cilium-${of} -c cilium-agent -- hubble observe --verdict DROPPED`,
    ),
  )
})
