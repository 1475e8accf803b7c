import { MongoError } from '../errors.js'
import { notYet, type ReplicaSet } from '../server/replica-set.js'
import type { Call } from './call.js'
import type { Command } from './types.js'

function setOf({ instance }: Call): ReplicaSet {
  if (instance.replicaSet !== undefined) return instance.replicaSet
  throw new MongoError('NoReplicationEnabled', 'This node was not started with replication enabled.')
}

const admin = { need: 'server', adminOnly: true, anyState: true } as const

export const replicaSetCommands: readonly Command[] = [
  {
    ...admin,
    name: 'replSetInitiate',
    fields: { replSetInitiate: 'any' },
    async run(call) {
      await setOf(call).initiate(call.fields.object('replSetInitiate'), call.connection.dialled)
      call.instance.topology.changed()
      return { ok: 1 }
    },
  },
  {
    ...admin,
    name: 'replSetGetStatus',
    fields: { initialSync: 'passed over' },
    run(call) {
      const set = setOf(call)
      if (!set.isPrimary) throw notYet()
      const name = set.memberAt(call.connection.dialled)
      const member = {
        _id: 0,
        name,
        health: 1,
        state: 1,
        stateStr: 'PRIMARY',
        uptime: Math.floor(process.uptime()),
        self: true,
      }
      return { set: set.name, date: new Date(), myState: 1, members: [member], ok: 1 }
    },
  },
  {
    ...admin,
    name: 'replSetGetConfig',
    fields: {},
    run: (call) => ({ config: setOf(call).configAt(call.connection.dialled), ok: 1 }),
  },
]
