import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('flows').action(() => {
    throw new CliError('`flows` is not there yet.')
  })
}
