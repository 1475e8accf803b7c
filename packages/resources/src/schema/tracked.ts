/*
 * Which fields a schema knows, told by the validator itself. The validators of kubernetes-models are compiled
 * functions without a schema to look into, and they let unknown fields pass. But they ask an object for every field
 * that the schema has, there or not; so a field that nobody asked for is one that the schema does not know.
 */

/** What was asked of one object or list. */
interface Asked {
  readonly names: Set<string>
  /** All its fields were listed: a map, whose names are free. */
  all: boolean
}

export interface Tracked {
  /** Stands for the data, and is to be read in its stead. */
  readonly view: unknown
  /** After the validator ran: the object at this place, if it looked into it. `known` is what it asked for. */
  unknownFields(): {
    readonly path: readonly (string | number)[]
    readonly name: string
    readonly known: readonly string[]
  }[]
}

export function track(data: unknown): Tracked {
  const asked = new Map<object, Asked>()
  const views = new Map<object, unknown>()

  const viewOf = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    const made = views.get(value)
    if (made !== undefined) return made
    const seen: Asked = { names: new Set(), all: false }
    asked.set(value, seen)
    const view = new Proxy(value, {
      get(target, name, receiver) {
        if (typeof name === 'string') seen.names.add(name)
        // Only the object's own fields are data: a validator asks for `constructor` only if a schema has it.
        return typeof name !== 'string' || Array.isArray(target) || Object.hasOwn(target, name)
          ? viewOf(Reflect.get(target, name, receiver))
          : undefined
      },
      ownKeys(target) {
        seen.all = true
        return Reflect.ownKeys(target)
      },
    })
    views.set(value, view)
    return view
  }

  return {
    view: viewOf(data),
    unknownFields() {
      const found: { path: readonly (string | number)[]; name: string; known: readonly string[] }[] = []
      const visit = (value: unknown, path: readonly (string | number)[]): void => {
        if (typeof value !== 'object' || value === null) return
        const seen = asked.get(value)
        // Never looked into: free-form data, or a value of a wrong type, which is told elsewhere.
        if (seen === undefined || (seen.names.size === 0 && !seen.all)) return
        if (Array.isArray(value)) {
          for (const [index, item] of value.entries()) visit(item, [...path, index])
          return
        }
        for (const [name, item] of Object.entries(value)) {
          if (!seen.all && !seen.names.has(name)) found.push({ path, name, known: [...seen.names] })
          else visit(item, [...path, name])
        }
      }
      visit(data, [])
      return found
    },
  }
}
