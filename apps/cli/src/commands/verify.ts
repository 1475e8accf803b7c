import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'

export function register(program: Command, _io: Io): void {
  program.command('verify').action(() => {
    throw new CliError('`verify` is not there yet.')
  })
}
