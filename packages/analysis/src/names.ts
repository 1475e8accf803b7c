const pod = ' (pod)'

/** How a port of the pods themselves is named, beside the Service of the same name. */
export const podName = (name: string): string => `${name}${pod}`

/** The name of the pods' port without the word that tells it from the Service's. */
export const plainName = (name: string): string => (name.endsWith(pod) ? name.slice(0, -pod.length) : name)

/** Destinations as one list: a Service's port and the same port of the pods of that name are named together. */
export function namesOf(destinations: readonly string[]): readonly string[] {
  const all = new Set(destinations)
  return destinations.flatMap((name) => {
    if (name !== plainName(name) && all.has(plainName(name))) return []
    return [all.has(podName(name)) ? `${name} and its pod` : name]
  })
}
