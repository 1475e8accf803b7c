import type { Refusal } from './gate.js'
import type { Operation } from './types.js'

/*
 * What kubectl makes of an answer of the API server.
 */

/**
 * The lines that `kubectl apply -f` ends with when the API server refuses an object.
 * @param file as it was given with -f; `-` is stdin
 */
export function kubectlAnswer({ reason, message }: Refusal, file: string, operation: Operation = 'CREATE'): string {
  // What is invalid is told by its field alone, without the file, and by its resource without the group.
  if (reason === 'Invalid') {
    const forbidden = /^([^\s.]+)\S* ("[^"]*") is forbidden: (.*)$/s.exec(message)
    return forbidden === null ? `The ${message}` : `The ${forbidden[1]} ${forbidden[2]} is invalid: : ${forbidden[3]}`
  }
  const named = reason === '' ? 'Error from server' : `Error from server (${reason})`
  return `${named}: error when ${verbs[operation]} ${JSON.stringify(file === '-' ? 'STDIN' : file)}: ${message}`
}

/** Of an object that is there already `kubectl apply` prints its patch before this. */
const verbs: Readonly<Record<Operation, string>> = {
  CREATE: 'creating',
  UPDATE: 'patching',
  DELETE: 'deleting',
  CONNECT: 'connecting to',
}
