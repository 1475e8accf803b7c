/** The arguments of Node's connect and listen, told apart as Node does. */
export interface Arguments {
  readonly options: Readonly<Record<string | symbol, unknown>>
  readonly callback: ((...args: unknown[]) => void) | undefined
}

function isPort(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && Number(value) >= 0)
}

/** `(options[, cb])`, `(port[, host][, cb])`, `(path[, cb])`, or Node's own already sorted pair of options and callback. */
export function sortArguments(args: readonly unknown[]): Arguments {
  if (Array.isArray(args[0])) return sortArguments([args[0][0] ?? {}, args[0][1]])
  const last = args.at(-1)
  const callback = typeof last === 'function' ? (last as (...args: unknown[]) => void) : undefined
  const first = args[0]
  if (typeof first === 'object' && first !== null) return { options: first as Record<string, unknown>, callback }
  if (typeof first === 'string' && !isPort(first)) return { options: { path: first }, callback }
  const options: Record<string, unknown> = {}
  if (args.length > 0 && typeof first !== 'function') options.port = first
  if (typeof args[1] === 'string') options.host = args[1]
  return { options, callback }
}
