import type { ControlClient } from '@bulkhead/control'
import type { LabTarget } from '@bulkhead/labs'
import { deleteObjects, isObjectChange } from '../objects/change.js'

/** A running target, as a lab sees it. */
export function labTarget(client: ControlClient): LabTarget {
  return {
    started: async () => (await client.status()).started,
    layers: () => client.layers(),
    setLayers: (change) => client.setLayers(change),
    inForce: async () => new Set((await client.objects()).map(({ id }) => id)),
    applied: async () => (await client.changes()).filter(({ name }) => isObjectChange(name)),
    remove: async (id) => {
      const found = (await client.objects()).filter((one) => one.id === id)
      await deleteObjects(client, found, () => undefined)
    },
    flows: () => client.flows(),
    refused: () => client.refused(),
    predict: (flow) => client.predict(flow),
    attempt: (from, attempt, options) => client.attempt(from, attempt, options),
    apply: (name, change) => client.apply(name, change),
    withdraw: (name) => client.withdraw(name),
  }
}
