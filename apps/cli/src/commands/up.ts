import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('up').action(() => {
    throw new CliError('`up` is not there yet.')
  })
}
