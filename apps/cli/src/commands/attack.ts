import type { Report } from '@bulkhead/scenarios'
import type { Command } from 'commander'
import { sameTarget } from '../given.js'
import { type Io, note } from '../io.js'
import { type OnOption, type StateOption, withHelp, withJson, withOn, withState } from '../options.js'
import { type ReportOptions, withReport } from '../report.js'
import { runScenariosOnTarget } from '../scenario-run.js'

export function register(program: Command, io: Io): void {
  const command = program
    .command('attack')
    .argument('[id...]', 'only these attacks, by the names of their files in scenarios/ (default: all)')
    .description('Attacks what is up: which wall stopped each attack, by which line, and what the attacker saw.')
  withState(withOn(withReport(withJson(command))))
  withHelp(command, {
    examples: [
      'npx bulkhead attack',
      'npx bulkhead attack notsleep-to-web-api outsider-to-web-api',
      'npx bulkhead attack --json',
      'npx bulkhead attack --on kind',
    ],
    exit: '0 all that were made were stopped, 1 one got through or could not be observed, or none was made, 2 bad input or nothing is up',
  })
  command.action(async (ids: string[], options: ReportOptions & StateOption & OnOption) => {
    const { attackPassed, attacksOf, renderAttack } = await import('@bulkhead/scenarios')
    const run = await runScenariosOnTarget(io, options, { ids, what: 'attack', of: attacksOf })
    await run.print(renderAttack)
    const next = nextStep(run.report, options)
    if (run.isText && next !== undefined) note(io, next)
    io.exit(attackPassed(run.report) ? 0 : 1)
  })
}

/**
 * What to type next: the wall to take down that stopped something, or the one to put back. Not one without which the
 * attacks it stopped cannot be tried at all.
 */
export function nextStep(
  { layers, results }: Pick<Report, 'layers' | 'results'>,
  options: StateOption & OnOption,
): string | undefined {
  const where = sameTarget(options)
  const off = layers.find(({ on }) => !on)
  if (off !== undefined) return `Put ${off.name} back: npx bulkhead layer on ${off.name}${where}`
  const held = new Set(
    results.flatMap(({ scenario, observed, predicted }) => {
      const layer = (observed?.reason ?? predicted?.reason)?.layer
      return layer === undefined || scenario.needs?.includes(layer) === true ? [] : [layer]
    }),
  )
  const wall = layers.filter(({ on, name }) => on && held.has(name)).at(-1)
  if (wall === undefined) return undefined
  return `See what ${wall.name} is for: npx bulkhead layer off ${wall.name}${where}, then attack again.`
}
