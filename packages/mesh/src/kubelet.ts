import type { Duplex } from 'node:stream'
import type { Carrier, Packet } from './carrier.js'
import type { Context } from './context.js'
import { pair } from './http/pair.js'
import { join } from './inbound.js'
import { judgePacket, passes, readsOf } from './network.js'
import type { Address } from './seams.js'
import { resettable } from './splice.js'

/** What istio-cni has the kubelet's packets to a captured pod come from, so that ztunnel can leave them alone. */
export const PROBE_ADDRESS = '169.254.7.127'

/** A connection to what listens in a pod. Rejects with a code. */
export type DialPod = (key: string, port: number, from: Address) => Promise<Duplex>

const failure = (code: string, message: string) => Object.assign(new Error(message), { code })

/** A probe's connection: past ztunnel, but not past the network's rules. Rejects with a code as `connect` does. */
export async function dialAsKubelet(
  context: Context,
  carrier: Carrier,
  dialPod: DialPod,
  key: string,
  port: number,
  signal?: AbortSignal,
): Promise<Duplex> {
  signal?.throwIfAborted()
  const { snapshot } = context.policy()
  const pod = snapshot.pods.get(key)
  if (pod === undefined) throw failure('EHOSTUNREACH', `connect EHOSTUNREACH: no pod ${JSON.stringify(key)}`)
  const node = [...snapshot.nodes, snapshot.platform.controlPlane].find(({ name }) => name === pod.node)
  const source = { ip: pod.mesh || node === undefined ? PROBE_ADDRESS : node.ip }
  const verdicts = judgePacket(context.judgeAt, snapshot, source, pod, port, 'TCP')
  if (!passes(verdicts)) {
    await pause(context.connectTimeoutMs, signal)
    throw failure(
      'ETIMEDOUT',
      `connect ETIMEDOUT ${pod.ip}:${port}: a network policy drops what comes from ${source.ip}`,
    )
  }
  const dial = () => dialPod(key, port, { ip: source.ip, port: context.sourcePort() })
  const app = await (readsOf(verdicts) === 'http' ? read(context, carrier, { source, to: pod, port }, dial) : dial())
  if (signal?.aborted) {
    app.on('error', () => {}).destroy()
    signal.throwIfAborted()
  }
  return app
}

/** A probe that is not the pod's own node's is read like any request, where a policy lists them. It leaves no record either. */
async function read(
  context: Context,
  carrier: Carrier,
  packet: Packet & { readonly to: { readonly key: string } },
  dial: () => Promise<Duplex>,
): Promise<Duplex> {
  const { source, to, port } = packet
  // The proxy would accept it all the same, and the probe find a pod that is not there.
  if (!context.listening(to.key).includes(port)) return dial()
  const flow = context.flows.start({
    generation: context.policy().generation,
    source: { ip: source.ip },
    destination: { pod: to.key, ip: to.ip, port },
    protocol: 'TCP',
    transport: 'plaintext',
  })
  const [near, far] = pair()
  far.on('error', () => {})
  carrier
    .eachRequest(flow, packet, resettable(far), async (carried, end) => join(carried, end, await dial()), false)
    .catch((err: unknown) => context.log?.error({ err, pod: to.key }, 'a probe could not be carried'))
    .finally(() => far.destroy())
  return near
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
