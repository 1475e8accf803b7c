import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/*
 * kubectl as a renderer: it asks no cluster for that.
 */

const run = promisify(execFile)
/** Against a kubectl that hangs. */
const mostMs = 30_000

/** Why nothing can be rendered here, or false. With BULKHEAD_KUBECTL=required, as in continuous integration, that is a failure. */
export async function noKubectl(): Promise<string | false> {
  try {
    await run('kubectl', ['kustomize', '--help'], { timeout: mostMs })
    return false
  } catch (error) {
    const said = `no kubectl that renders was found (${(error as Error).message.split('\n')[0]}): install one, 1.27 or newer`
    if (process.env.BULKHEAD_KUBECTL === 'required') throw new Error(said)
    return said
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
