import type { Duplex } from 'node:stream'
import type { Context } from './context.js'
import { judgePacket, passes } from './network.js'
import type { Address } from './seams.js'

/** What istio-cni has the kubelet's packets to a captured pod come from, so that ztunnel can leave them alone. */
export const PROBE_ADDRESS = '169.254.7.127'

/** A connection to what listens in a pod. Rejects with a code. */
export type DialPod = (key: string, port: number, from: Address) => Promise<Duplex>

const failure = (code: string, message: string) => Object.assign(new Error(message), { code })

/** A probe's connection: past ztunnel, but not past the network's rules. Rejects with a code as `connect` does. */
export async function dialAsKubelet(
  context: Context,
  dialPod: DialPod,
  key: string,
  port: number,
  signal?: AbortSignal,
): Promise<Duplex> {
  signal?.throwIfAborted()
  const { snapshot } = context.policy()
  const pod = snapshot.pods.get(key)
  if (pod === undefined) throw failure('EHOSTUNREACH', `connect EHOSTUNREACH: no pod ${JSON.stringify(key)}`)
  const node = snapshot.nodes.find(({ name }) => name === pod.node)
  const source = { ip: pod.mesh || node === undefined ? PROBE_ADDRESS : node.ip }
  const verdicts = judgePacket(context.judgeAt, snapshot, source, pod, port, 'TCP')
  if (!passes(verdicts)) {
    await pause(context.connectTimeoutMs, signal)
    throw failure(
      'ETIMEDOUT',
      `connect ETIMEDOUT ${pod.ip}:${port}: a network policy drops what comes from ${source.ip}`,
    )
  }
  const app = await dialPod(key, port, { ip: source.ip, port: context.sourcePort() })
  if (signal?.aborted) {
    app.on('error', () => {}).destroy()
    signal.throwIfAborted()
  }
  return app
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }, ms)
    signal?.addEventListener('abort', aborted, { once: true })
  })
}
