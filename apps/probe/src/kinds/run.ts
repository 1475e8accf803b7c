import { Failure } from '../trace.js'
import type { Kind } from './kind.js'

/**
 * No connection: that this program runs is what is asked. It says in which pod, by the name that the kubelet gives every
 * container (HOSTNAME), so that an answer of another pod is seen.
 */
export const run: Kind = async (trace) => {
  const { HOSTNAME: pod = '' } = process.env
  if (pod === '') throw new Failure('NO_POD', 'the environment has no HOSTNAME, so this program is in no pod')
  trace.phase = 'request'
  const text = `a program runs in the pod ${pod}`
  trace.received(text.length)
  return { detail: { text, pod } }
}
