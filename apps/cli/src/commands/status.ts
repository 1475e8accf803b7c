import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('status').action(() => {
    throw new CliError('`status` is not there yet.')
  })
}
