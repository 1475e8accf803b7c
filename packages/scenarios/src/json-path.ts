/** The steps of a path such as `upstream_calls[0].name`. Undefined for what is not one. */
export function parsePath(path: string): readonly (string | number)[] | undefined {
  const steps: (string | number)[] = []
  const step = /(?:^|(?<=.)\.)([A-Za-z_$][\w$-]*)|\[(\d+)\]/gy
  while (step.lastIndex < path.length) {
    const found = step.exec(path)
    if (found === null) return undefined
    steps.push(found[1] ?? Number(found[2]))
  }
  return steps.length === 0 ? undefined : steps
}

/** The value at a path; `found` tells a value that is null from one that is not there. */
export function valueAt(value: unknown, path: string): { readonly found: boolean; readonly value?: unknown } {
  let here = value
  for (const step of parsePath(path) ?? []) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return { found: false }
    here = (here as Record<string | number, unknown>)[step]
  }
  return { found: true, value: here }
}
