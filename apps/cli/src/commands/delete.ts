import type { Command } from 'commander'
import { CliError, type Io } from '../io.js'
import { deleteObjects, keyOf, type ObjectDone } from '../objects/change.js'
import { withEffect } from '../objects/effect.js'
import { readNamed } from '../objects/read.js'
import { tellDone, tellOne } from '../objects/text.js'
import { type JsonOption, type StateOption, withHelp, withJson, withState } from '../options.js'
import { rootOf } from '../places.js'
import { findTarget } from '../target/find.js'

interface Options extends JsonOption, StateOption {
  readonly filename?: readonly string[]
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('delete')
    .description(
      'Take objects out of the running target, as `kubectl delete -f` does on a cluster. They come back with `bulkhead apply`, or at the next `up`; k8s/ is never changed.',
    )
    .argument('[object...]', 'objects by name: AuthorizationPolicy/shop/allow-nothing')
    .option('-f, --filename <path...>', 'the objects of these manifest files, or folders of them; - reads stdin')
    .action((names: readonly string[], options: Options) => remove(names, options, io))
  withHelp(withJson(withState(command)), {
    examples: [
      'npx bulkhead delete -f k8s/layers/50-identity/shop/allow-nothing.yaml',
      'npx bulkhead delete AuthorizationPolicy/shop/allow-nothing',
    ],
    exit: '0, 1 when one of them is not in force or admission keeps it, 2 when a file has a mistake in it (nothing is changed then) or nothing is up.',
  })
}

async function remove(names: readonly string[], options: Options, io: Io): Promise<void> {
  const { filename = [] } = options
  if (names.length === 0 && filename.length === 0) {
    throw new CliError('say what to delete: -f FILE, or a name as AuthorizationPolicy/shop/allow-nothing.')
  }
  const inFiles = filename.length === 0 ? [] : await readNamed(filename, io, rootOf(io))
  const target = findTarget(io, options)
  const inForce = names.length === 0 ? [] : await target.objects()
  const named = names.map((name) => {
    const matches = inForce.filter((one) => [one.id, keyOf(one)].some((id) => id.toLowerCase() === name.toLowerCase()))
    const [found, second] = matches
    if (found === undefined)
      throw new CliError(
        noObject(
          name,
          inForce.map(({ id }) => id),
        ),
      )
    if (second === undefined) return found
    throw new CliError(`${name} is ${matches.map(keyOf).join(' and ')}; write the one that is to go.`)
  })
  const done: ObjectDone[] = []
  const diff = await withEffect(target, async () => {
    await deleteObjects(target, [...inFiles.map(({ resource }) => resource), ...named], (one) => {
      done.push(one)
      tellOne(one, options, io)
    })
    return done.some((one) => one.done === 'deleted')
  })
  await tellDone(done, diff, options, io)
  if (done.some((one) => ['not found', 'refused'].includes(one.done))) io.exit(1)
}

/** With what somebody may have meant: the same name of another kind or namespace. */
function noObject(name: string, ids: readonly string[]): string {
  const last = name.split('/').at(-1)
  const near = ids.filter((id) => id.split('/').at(-1) === last)
  const hint =
    near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '. Write Kind/namespace/name, as `explain` does.'
  return `there is no object ${JSON.stringify(name)} in force${hint}`
}
