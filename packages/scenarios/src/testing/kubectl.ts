import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/*
 * kubectl as a renderer: it asks no cluster for that.
 */

const run = promisify(execFile)
/** Against a kubectl that hangs. */
const mostMs = 30_000
/** The first that knows all that is written in k8s/, in kubectl 1.27. */
const leastKustomize = 5

/** Why nothing can be rendered here, or false. With BULKHEAD_KUBECTL=required, as in continuous integration, that is a failure. */
export async function noKubectl(): Promise<string | false> {
  const found = await kustomizeVersion()
  if (found !== undefined && leastKustomize <= Number(/^v(\d+)/.exec(found)?.[1])) return false
  const what =
    found === undefined ? 'no kubectl was found' : `the kubectl that was found renders with kustomize ${found}`
  const said = `${what}: install one, 1.27 or newer, or see scripts/kubectl.mjs`
  if (process.env.BULKHEAD_KUBECTL === 'required') throw new Error(said)
  return said
}

/** Its kustomize's, or a sentence on it: the oldest ones do not say. */
async function kustomizeVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('kubectl', ['version', '--client', '--output', 'json'], { timeout: mostMs })
    return (JSON.parse(stdout) as { kustomizeVersion?: string }).kustomizeVersion ?? 'of before v4'
  } catch {
    return undefined
  }
}

/** What `kubectl apply -k` would send. No kubeconfig is read. */
export async function rendered(folder: string): Promise<string> {
  const { stdout } = await run('kubectl', ['kustomize', folder], {
    timeout: mostMs,
    maxBuffer: 64 * 1024 * 1024,
    env: { PATH: process.env.PATH, HOME: '/nonexistent' },
  })
  return stdout
}
