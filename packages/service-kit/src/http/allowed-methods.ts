import type { Express } from 'express'

/** The part of the router's layers that is needed here. */
interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> }
  readonly handle: { readonly stack?: readonly Layer[] }
  readonly path?: string
  match(path: string): boolean | { readonly path?: string } | undefined
}

/**
 * The methods that some route of the application answers at this path, sorted; empty when the path is nobody's. Only
 * asked once nothing has answered, to tell 405 from 404.
 */
export function allowedMethods(app: Express, path: string): string[] {
  const found = new Set<string>()
  collect((app.router as unknown as { stack: readonly Layer[] }).stack, path, found)
  if (found.has('GET')) found.add('HEAD')
  return [...found].sort()
}

function collect(stack: readonly Layer[], path: string, found: Set<string>): void {
  for (const layer of stack) {
    const matched = matches(layer, path)
    if (matched === undefined) continue
    if (layer.route !== undefined) {
      for (const [method, on] of Object.entries(layer.route.methods))
        if (on && method !== '_all') found.add(method.toUpperCase())
    } else if (layer.handle.stack !== undefined) {
      const rest = path.slice(matched.length)
      collect(layer.handle.stack, rest.startsWith('/') ? rest : `/${rest}`, found)
    }
  }
}

/** The prefix of the path that the layer takes. */
function matches(layer: Layer, path: string): string | undefined {
  try {
    const match = layer.match(path)
    if (match === undefined || match === false) return undefined
    return (match === true ? layer.path : match.path) ?? ''
  } catch {
    return undefined // a parameter that does not decode: no route takes it
  }
}
