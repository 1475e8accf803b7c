/** As MongoDB tells them in `hello`, and keeps to. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
/** A command may be a little larger than a document, since it may hold one. */
export const MAX_COMMAND_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024
export const MAX_MESSAGE_BYTES = 48_000_000
export const MAX_WRITE_BATCH = 100_000
/** What a client may have this server hold before it has said who it is; a hello with a proof in it takes 1 KiB. */
export const MAX_BYTES_BEFORE_LOGIN = 64 * 1024
/** A message is not nested deeper, and no path of an update is longer. */
export const MAX_DEPTH = 200
/** A message that was begun has to end: who trickles does not hold memory for ever. */
export const MESSAGE_DEADLINE_MS = 60_000
