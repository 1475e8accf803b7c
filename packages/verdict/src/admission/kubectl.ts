import type { Refusal } from './gate.js'

/*
 * What kubectl makes of an answer of the API server.
 */

/**
 * The lines that `kubectl apply -f` ends with when the API server refuses an object.
 * @param file as it was given with -f; `-` is stdin
 */
export function kubectlAnswer({ reason, message }: Refusal, file: string): string {
  // What is invalid is told by its field alone, without the file, and by its resource without the group.
  if (reason === 'Invalid') {
    const forbidden = /^([^\s.]+)\S* ("[^"]*") is forbidden: (.*)$/s.exec(message)
    return forbidden === null ? `The ${message}` : `The ${forbidden[1]} ${forbidden[2]} is invalid: : ${forbidden[3]}`
  }
  const named = reason === '' ? 'Error from server' : `Error from server (${reason})`
  return `${named}: error when creating ${JSON.stringify(file === '-' ? 'STDIN' : file)}: ${message}`
}
