import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandLine } from '../tools/command-line.js'
import type { Step } from './types.js'

/** What a step is made of: its command lines, and what is in the files that they read. Another one: it is to be done again. */
export function fingerprintOf(step: Step, root: string): string {
  const hash = createHash('sha256')
  for (const { command } of step.actions) hash.update(`${commandLine(command)}\0${command.stdin ?? ''}\0`)
  for (const file of step.files ?? []) hash.update(`${file}\0`).update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 32)
}
