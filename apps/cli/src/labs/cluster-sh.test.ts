import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root, temporaryFolder } from '../target/testing.js'

const helpers = path.join(root, 'docs/labs/cluster.sh')

/** What is run by lines that are typed where the helpers are; kubectl and npx are stand-ins that note their arguments. */
function typed(lines: string): readonly string[] {
  const folder = temporaryFolder()
  const log = path.join(folder, 'log')
  const pods = 'pod/sleep-hermit-1\\npod/sleep-5f7-a\\npod/sleep-5f7-b\\npod/notsleep-1\\n'
  try {
    for (const name of ['kubectl', 'npx', 'istioctl']) {
      const says = name === 'kubectl' ? `case "$*" in *'get pod'*) printf '${pods}' ;; esac\n` : ''
      writeFileSync(path.join(folder, name), `#!/bin/sh\necho "${name} $*" >> '${log}'\n${says}`)
      chmodSync(path.join(folder, name), 0o755)
    }
    const env = { ...process.env, PATH: `${folder}${path.delimiter}${process.env.PATH}` }
    const { status, stderr } = spawnSync('sh', ['-euc', `. '${helpers}'\n${lines}`], { env, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return readFileSync(log, 'utf8').trimEnd().split('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const ours = '--kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead'

test("the labs' kubectl and istioctl mean the cluster that is ours, whatever is in KUBECONFIG", () => {
  assert.deepEqual(typed('kubectl get pods -A; istioctl waypoint status -n shop'), [
    `kubectl ${ours} get pods -A`,
    `istioctl ${ours} waypoint status -n shop`,
  ])
})

test('a container with curl is put beside the first pod of that workload, and waited for, with 10-admission down meanwhile', () => {
  assert.deepEqual(typed('client shop/notsleep shop/sleep-5f7-b'), [
    'npx bulkhead layer off 10-admission --on kind',
    `kubectl ${ours} -n shop get pod -o name`,
    `kubectl ${ours} -n shop debug pod/notsleep-1 --image=curlimages/curl --container=client --profile=restricted -- sleep 7200`,
    `kubectl ${ours} -n shop wait --timeout=120s --for=jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt} pod/notsleep-1`,
    `kubectl ${ours} -n shop get pod -o name`,
    `kubectl ${ours} -n shop debug pod/sleep-5f7-b --image=curlimages/curl --container=client --profile=restricted -- sleep 7200`,
    `kubectl ${ours} -n shop wait --timeout=120s --for=jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt} pod/sleep-5f7-b`,
    'npx bulkhead layer on 10-admission --on kind',
  ])
})

test("every node's Hubble is asked", () => {
  const asked = typed('hubble observe --verdict DROPPED')
  assert.equal(
    asked.filter((line) => / exec pod\/\S+ -c cilium-agent -- hubble observe --verdict DROPPED$/.test(line)).length,
    4,
  )
})

test('what a pod without curl asks with prints the status, or why there is none', () => {
  const script = `. '${helpers}'; '${process.execPath}' -e "$ask" http://127.0.0.1:1/`
  assert.match(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout, /ECONNREFUSED|bad port/)
})
