import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('logs').action(() => {
    throw new CliError('`logs` is not there yet.')
  })
}
