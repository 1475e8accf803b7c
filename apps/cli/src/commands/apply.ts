import type { Command } from 'commander'
import { exitCodes, type Io, note } from '../io.js'
import { applyObjects, type ObjectDone } from '../objects/change.js'
import { withEffect } from '../objects/effect.js'
import { readNamed } from '../objects/read.js'
import { tellDone, tellOne } from '../objects/text.js'
import { type JsonOption, type StateOption, withHelp, withJson, withState } from '../options.js'
import { rootOf } from '../places.js'
import { findTarget } from '../target/find.js'

interface Options extends JsonOption, StateOption {
  readonly filename: readonly string[]
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('apply')
    .description(
      'Put the objects of manifest files in force on the running target, as `kubectl apply -f` does on a cluster. They stay until `bulkhead delete` or `down`; k8s/ is never changed.',
    )
    .requiredOption('-f, --filename <path...>', 'manifest files, or folders of them; - reads stdin')
    .action((options: Options) => apply(options, io))
  withHelp(withJson(withState(command)), {
    examples: [
      'npx bulkhead apply -f k8s/layers/50-identity/shop/allow-nothing.yaml',
      'npx bulkhead apply -f k8s/layers/40-mtls -f k8s/layers/50-identity',
    ],
    exit: '0, 1 when admission refuses one of them (the others are in force), 2 when a file has a mistake in it (nothing is changed then) or nothing is up.',
  })
}

async function apply(options: Options, io: Io): Promise<void> {
  const given = await readNamed(options.filename, io, rootOf(io))
  const target = findTarget(io, options)
  const done: ObjectDone[] = []
  if (given.length === 0) note(io, 'there is no object in these files.')
  const diff = await withEffect(target, async () => {
    await applyObjects(target, given, (one) => {
      done.push(one)
      tellOne(one, options, io)
    })
    return done.some((one) => !['unchanged', 'refused'].includes(one.done))
  })
  await tellDone(done, diff, options, io)
  if (done.some((one) => one.done === 'refused')) io.exit(exitCodes.deny)
}
