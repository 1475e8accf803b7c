import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('layer').action(() => {
    throw new CliError('`layer` is not there yet.')
  })
}
