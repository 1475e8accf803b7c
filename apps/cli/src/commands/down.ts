import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('down').action(() => {
    throw new CliError('`down` is not there yet.')
  })
}
