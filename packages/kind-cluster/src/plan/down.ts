import { kindNetwork, removeOutside } from '../outside/index.js'
import { clusterName, type Place } from '../place.js'
import { commandsFor } from './commands.js'
import type { Plan } from './types.js'

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
      {
        id: 'outside',
        part: 'cluster',
        title: 'Remove the host outside of it',
        why: 'It is a container beside the nodes, and of no use without them. It has kept nothing.',
        actions: [{ kind: 'run', command: removeOutside }],
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
