import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('attack').action(() => {
    throw new CliError('`attack` is not there yet.')
  })
}
