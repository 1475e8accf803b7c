import { collectionCommands } from './collections.js'
import { count, distinct } from './counting.js'
import { deleteCommand } from './delete.js'
import { diagnostics } from './diagnostics.js'
import { find, getMore, killCursors } from './find.js'
import { findAndModify } from './find-and-modify.js'
import { hello } from './hello.js'
import { indexCommands } from './indexes.js'
import { insert } from './insert.js'
import { aggregate } from './pipelines.js'
import { replicaSetCommands } from './replica-set.js'
import { saslCommands } from './sasl.js'
import { sessionCommands } from './sessions.js'
import type { Command } from './types.js'
import { update } from './update.js'
import { userCommands } from './users.js'

/** All commands that there are. */
export const commands: readonly Command[] = [
  hello,
  ...saslCommands,
  ...diagnostics,
  insert,
  update,
  deleteCommand,
  find,
  getMore,
  killCursors,
  findAndModify,
  aggregate,
  count,
  distinct,
  ...collectionCommands,
  ...indexCommands,
  ...sessionCommands,
  ...userCommands,
  ...replicaSetCommands,
]

const byName = new Map(
  commands.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => [name, command] as const)),
)

export const commandNamed = (name: string): Command | undefined => byName.get(name)
