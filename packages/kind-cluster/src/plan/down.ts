import { clusterName, type Place } from '../place.js'
import { commandsFor } from './commands.js'
import type { Plan } from './types.js'

/** Docker's network of all of kind's clusters. kind makes it and never removes it. */
export const kindNetwork = 'kind'

/** Everything that `cluster down` does. `network`: whether the network goes too, since nobody but us had it made. */
export function downPlan(place: Place, network: boolean): Plan {
  const { kind, docker } = commandsFor(place)
  const remove = kind(['delete', 'cluster', '--name', clusterName, '--kubeconfig', place.kubeconfig], 5)
  return {
    steps: [
      {
        id: 'delete',
        part: 'cluster',
        title: 'Delete the cluster',
        why: 'Its three containers go, with their volumes and all that was in them: pods, data, passwords.',
        actions: [{ kind: 'run', command: remove }],
      },
      ...(network
        ? [
            {
              id: 'network',
              part: 'cluster' as const,
              title: "Remove Docker's network of kind's clusters",
              why: 'kind made it for this cluster and leaves it behind. Docker refuses as long as anybody is in it.',
              actions: [{ kind: 'run' as const, command: docker(['network', 'rm', kindNetwork], 1) }],
            },
          ]
        : []),
    ],
  }
}
