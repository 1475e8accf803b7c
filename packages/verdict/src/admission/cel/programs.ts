import { type CelProgram, compileCel } from './index.js'
import type { Declarations } from './scope.js'

/** Characters of the expressions that are held for one kind of policy. */
const MOST = 1_000_000

interface Programs {
  readonly known: Map<string, CelProgram>
  characters: number
}

/** By what an expression may name, which is the same for all policies of a kind. */
const programs = new WeakMap<object, Programs>()

/**
 * An expression read once, however many policies write it and however often they are read: a program holds nothing of a
 * policy or of a request. Throws CelSyntaxError, each time.
 */
export function programOf(
  source: string,
  declared: Omit<Declarations, 'variables'>,
  variables: ReadonlyMap<string, CelProgram['type']>,
): CelProgram {
  const held = programs.get(declared) ?? { known: new Map<string, CelProgram>(), characters: 0 }
  programs.set(declared, held)
  // A variable that is used is named in the text.
  const key = JSON.stringify([source, ...[...variables].filter(([name]) => source.includes(name))])
  const known = held.known.get(key)
  if (known !== undefined) return known
  const program = compileCel(source, { ...declared, variables: new Map(variables) })
  held.known.set(key, program)
  held.characters += key.length
  for (const oldest of held.known.keys()) {
    if (held.characters <= MOST) break
    held.known.delete(oldest)
    held.characters -= oldest.length
  }
  return program
}
