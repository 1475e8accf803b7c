import type { Command } from 'commander'
import { answerJson, ask, outcomeOf } from '../admission/ask.js'
import { CliError, exitCodes, type Io, note, print, printable, printJson } from '../io.js'
import { readNamed } from '../objects/read.js'
import {
  type JsonOption,
  type ManifestsOption,
  type StateOption,
  withHelp,
  withJson,
  withManifests,
  withState,
} from '../options.js'
import { rootOf } from '../places.js'
import { type Style, styleOf } from '../style.js'

interface Options extends JsonOption, ManifestsOption, StateOption {
  readonly filename: readonly string[]
  readonly as?: string
  readonly offline?: boolean
}

const exits = { allow: exitCodes.ok, deny: exitCodes.deny, unknown: exitCodes.unknown } as const

export function register(program: Command, io: Io): void {
  const command = program
    .command('admit')
    .description(
      'What admission would say of the objects of manifest files: Pod Security and every policy in force, one by one, with the field that each is about; what kubectl would answer; what is changed and what is made. Nothing is put in force.',
    )
    .requiredOption('-f, --filename <path...>', 'manifest files, or folders of them; - reads stdin')
    .option('--as <user>', 'who asks, such as system:serviceaccount:shop:sleep (default: kubernetes-admin)')
    .option('--offline', 'ask the manifests, whatever is up')
    .action((options: Options) => admit(options, io))
  withState(withManifests(withJson(command)))
  withHelp(command, {
    examples: [
      'npx bulkhead admit -f k8s/workloads/shop',
      'npx bulkhead admit -f k8s/layers/10-admission/disallow-root-user/bad.yaml --offline',
      'npx bulkhead admit -f - --as system:serviceaccount:shop:sleep --json < pod.yaml',
    ],
    exit: '0 all are admitted, 1 one is refused (or the pods of one are), 2 bad input, 3 unknown (a policy is not modelled).',
  })
}

async function admit(options: Options, io: Io): Promise<void> {
  const { filename, as: username, json } = options
  if (username?.trim() === '') throw new CliError('--as names nobody.')
  const given = await readNamed(filename, io, rootOf(io), 'nobody was asked')
  const { administrator, renderAdmission, requesterOf } = await import('@bulkhead/verdict/admission')
  const user = username === undefined ? administrator : requesterOf(username)
  if (given.length === 0) note(io, 'there is no object in these files.')
  const { by, answers } = await ask(given, { ...options, user }, io)
  if (json === true) {
    printJson(io, { asked: by, user: user.username, objects: answers.map(answerJson) })
  } else {
    note(io, `asked: ${by}`)
    const text = answers.map(({ admission, asked }) => renderAdmission(admission, asked)).join('\n')
    print(io, coloured(printable(text), styleOf(io)))
  }
  io.exit(exits[outcomeOf(answers)])
}

/** What decided, where the eye looks for it. */
function coloured(text: string, style: Style): string {
  return text
    .replace(/(?<=^[^\n]* {3})ADMITTED\b/gm, (word) => style.green(word))
    .replace(/(?<=^[^\n]*(?: {3}|pods ))REFUSED\b|(?<=^ +)REFUSES(?= )/gm, (word) => style.red(word))
    .replace(/(?<=^[^\n]*(?: {3}|pods ))UNKNOWN\b|(?<=^ +)(?:UNKNOWN|warns)(?= )/gm, (word) => style.yellow(word))
}
