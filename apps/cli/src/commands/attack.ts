import type { Command } from 'commander'
import type { Io } from '../io.js'
import { type JsonOption, type StateOption, withHelp, withJson, withState } from '../options.js'
import { chooseScenarios, runScenariosOnTarget } from '../scenario-run.js'

export function register(program: Command, io: Io): void {
  const command = program
    .command('attack')
    .argument('[id...]', 'only these attacks (default: all of scenarios/)')
    .description('Attacks what is up: which wall stopped each attack, by which line, and what the attacker saw.')
  withState(withJson(command))
  withHelp(command, {
    examples: ['npx bulkhead attack', 'npx bulkhead attack --json'],
    exit: '0 all were stopped, 1 one got through or could not be observed, 2 bad input or nothing is up',
  })
  command.action(async (ids: string[], options: JsonOption & StateOption) => {
    const { attackPassed, attacksOf, renderAttack } = await import('@bulkhead/scenarios')
    const run = await runScenariosOnTarget(io, options, (all) => chooseScenarios(attacksOf(all), ids, 'attack'))
    run.print(renderAttack)
    io.exit(attackPassed(run.report) ? 0 : 1)
  })
}
