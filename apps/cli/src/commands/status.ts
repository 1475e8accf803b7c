import { type Command, Option } from 'commander'
import { CliError, type Io, print, printJson } from '../io.js'
import { type JsonOption, type OnOption, type StateOption, withHelp, withJson, withState } from '../options.js'
import { styleOf } from '../style.js'
import { findTarget } from '../target/find.js'
import { notReady, statusText } from '../target/status-text.js'

export function register(program: Command, io: Io): void {
  const command = program
    .command('status')
    .description('What is up: each pod with its node, address and identity, and the layers that are on.')
    // Other commands have it: whoever writes it here is told the command for a cluster.
    .addOption(new Option('--on <target>').choices(['local', 'kind']).hideHelp())
    .action((options: JsonOption & StateOption & OnOption) => status(options, io))
  withHelp(withJson(withState(command)), {
    examples: ['npx bulkhead status', 'npx bulkhead status --json'],
    exit: '0 all pods are ready, 1 not all, or admission refuses something, 2 nothing is up.',
  })
}

async function status(options: JsonOption & StateOption & OnOption, io: Io): Promise<void> {
  if (options.on === 'kind') throw new CliError('what is up on the cluster is said by `npx bulkhead cluster status`.')
  const client = findTarget(io, options)
  const found = await client.status()
  if (options.json === true) printJson(io, { url: client.url, ...found })
  else {
    print(io, statusText(found, styleOf(io)))
    print(io, `  API      ${client.url}, process ${client.pid}, policies of generation ${found.generation}`)
  }
  if (notReady(found).length > 0 || found.notAdmitted.length > 0) io.exit(1)
}
