import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('exec').action(() => {
    throw new CliError('`exec` is not there yet.')
  })
}
