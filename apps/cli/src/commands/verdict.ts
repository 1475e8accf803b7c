import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('verdict').action(() => {
    throw new CliError('`verdict` is not there yet.')
  })
}
