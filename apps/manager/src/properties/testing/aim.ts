import type { Intent, User } from './model/things.js'
import type { World } from './model/world.js'

/** Stands for the password that the user has. */
export const RIGHT = '(the right one)'

type Fields = Readonly<Record<string, unknown>>

/** How many of the numbers of things mean the caller's own, where he has some; the others are whatever there is. */
const OWN = 6

/** Makes more calls reach something: of those that were drawn at random, most would be about what is another's, or with a wrong password. */
export function aim<I>(world: World, caller: User, input: I): I {
  const aimed: Record<string, unknown> = { ...(input as Fields) }
  const { strategy, intents, old, password, whom } = aimed
  if (typeof strategy === 'number') aimed.strategy = ownOf(world.strategies, strategy, ({ owner }) => owner === caller)
  if (Array.isArray(intents)) {
    const isOwn = (intent: Intent): boolean => intent.strategy.owner === caller
    aimed.intents = intents.map((number: number) => ownOf(world.intents, number, isOwn))
  }
  if (old === RIGHT) aimed.old = caller.password
  if (password === RIGHT) aimed.password = world.at(world.users, whom as number)?.password ?? 'password-1'
  return aimed as I
}

function ownOf<T extends { readonly gone: boolean }>(
  list: readonly T[],
  number: number,
  isOwn: (one: T) => boolean,
): number {
  const own = list.filter((one) => !one.gone && isOwn(one))
  const found = number < OWN && number >= 0 ? own[number % own.length] : undefined
  return found === undefined ? number : list.indexOf(found)
}
