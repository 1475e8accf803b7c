import type { PodSpec } from '@bulkhead/resources'
import { rawField } from './kinds.js'

/** What keeps pods from the control plane's node: they have to say that they may run there. */
const taint = { key: 'node-role.kubernetes.io/control-plane', value: '', effect: 'NoSchedule' }

/** Whether a pod of this template may be placed on the control plane's node (Kubernetes, taints and tolerations). */
export function toleratesControlPlane(spec: PodSpec): boolean {
  const tolerations = rawField(spec, 'tolerations')
  return Array.isArray(tolerations) && tolerations.some(tolerates)
}

function tolerates(toleration: unknown): boolean {
  if (typeof toleration !== 'object' || toleration === null) return false
  const { key = '', operator = 'Equal', value = '', effect = '' } = toleration as Readonly<Record<string, unknown>>
  // One without an effect is for all of them, and one without a key, which must be Exists, for every taint.
  if (effect !== '' && effect !== taint.effect) return false
  if (operator === 'Exists') return key === '' || key === taint.key
  return key === taint.key && value === taint.value
}
