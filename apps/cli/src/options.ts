import { type Command, InvalidArgumentError, Option } from 'commander'

/*
 * Options that several commands share, so that they are spelled and explained alike. A command's own options are
 * read with `command.opts<StateOption & JsonOption>()` or as the action's second last argument.
 */

export interface JsonOption {
  readonly json?: boolean
}

export interface StateOption {
  readonly state?: string
}

export interface OnOption {
  readonly on?: 'local' | 'kind'
}

export interface ManifestsOption {
  readonly manifests?: string
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print the result as JSON')
}

export function withState(command: Command): Command {
  return command.option('--state <dir>', "the running target's folder (default: .bulkhead beside k8s/)")
}

/** Which of the two targets is meant. */
export function withOn(command: Command): Command {
  const option = new Option('--on <target>', 'the local target, or the cluster of `npx bulkhead cluster up`')
  return command.addOption(option.choices(['local', 'kind']).default('local'))
}

export function withManifests(command: Command): Command {
  return command.option('--manifests <dir>', 'the manifests (default: k8s/, here or in a folder above)')
}

/** The example, and what the exit code means: both are part of every command's --help. */
export function withHelp(
  command: Command,
  parts: { readonly examples: readonly string[]; readonly exit: string },
): Command {
  // As they can be typed in a clone, where the command is not in PATH.
  const examples = parts.examples
    .map((example) => `  $ ${example.replace(/^(npx )?bulkhead\b/, 'npx bulkhead')}`)
    .join('\n')
  return command.addHelpText('after', `\nExamples:\n${examples}\n\nExit code: ${parts.exit.replace(/\.$/, '')}.`)
}

/** The argument of `--tail`. */
export function linesOf(text: string): number {
  const lines = Number(text)
  if (Number.isInteger(lines) && lines >= 0 && lines <= 100_000 && text.trim() !== '') return lines
  throw new InvalidArgumentError('it has to be a whole number from 0 to 100000.')
}
