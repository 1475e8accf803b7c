import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('explain').action(() => {
    throw new CliError('`explain` is not there yet.')
  })
}
