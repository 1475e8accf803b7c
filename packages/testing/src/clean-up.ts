import { after } from 'node:test'

/** At whose end something is cleaned up: a test (its `t`), or what `wholeSuite()` gives. */
export interface Scope {
  after(work: () => unknown): void
}

type Work = () => unknown

const stacks = new WeakMap<Scope, Work[]>()

/**
 * Has `work` done, and waited for, when `t` ends, whether it passed or not: what was registered last is done first, so that
 * whoever uses something is over before it goes. One that fails keeps no other from being done; the test fails with it.
 * Node's own `t.after` does the first first, and none behind one that fails.
 */
export function cleanUp(t: Scope, work: Work): void {
  const there = stacks.get(t)
  if (there !== undefined) {
    there.push(work)
    return
  }
  const stack = [work]
  stacks.set(t, stack)
  t.after(() => unwind(t, stack))
}

/** The file, or the `describe`, that calls this: for what several of its tests have in common. To be called once in each. */
export function wholeSuite(): Scope {
  // Registered at once: while a test runs, Node's `after` is about that test.
  const scope: Scope = { after: (work) => stack.push(work) }
  const stack: Work[] = []
  after(() => unwind(scope, stack))
  return scope
}

async function unwind(t: Scope, stack: Work[]): Promise<void> {
  const errors: unknown[] = []
  // What is registered meanwhile is done, too.
  for (let work = stack.pop(); work !== undefined; work = stack.pop()) {
    try {
      await work()
    } catch (error) {
      errors.push(error)
    }
  }
  stacks.delete(t)
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) {
    const said = errors.map((error) => (error instanceof Error ? error.message : String(error)))
    throw new AggregateError(errors, `${errors.length} clean-ups failed: ${said.join('; ')}`)
  }
}
