import { parseYaml } from '@bulkhead/resources/yaml'
import { BundleError } from './errors.js'

/**
 * The images that a chart's pods run, from what `helm template` prints, line by line: it can be megabytes of definitions, of which one
 * document at a time is kept.
 */
export class ChartImages {
  readonly #chart: string
  readonly #found = new Set<string>()
  #document: string[] = []

  constructor(chart: string) {
    this.#chart = chart
  }

  line(line: string): void {
    if (/^---(\s|$)/.test(line)) this.#read()
    else this.#document.push(line)
  }

  /** @throws BundleError `contents` for what would be pulled by a node though it is there */
  end(): readonly string[] {
    this.#read()
    return [...this.#found].sort()
  }

  #read(): void {
    const lines = this.#document
    this.#document = []
    if (lines.some((line) => line === 'kind: CustomResourceDefinition')) return
    const { documents, problems } = parseYaml(lines.join('\n'))
    const problem = problems[0]
    if (problem !== undefined)
      throw new BundleError('contents', `what helm makes of chart ${this.#chart} is no YAML (${problem.message}).`)
    for (const { value } of documents) this.#walk(value)
  }

  #walk(value: unknown): void {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (/^(c|initC|ephemeralC)ontainers$/.test(key) && Array.isArray(inner))
        for (const one of inner) this.#container(one)
      this.#walk(inner)
    }
  }

  #container(container: unknown): void {
    if (typeof container !== 'object' || container === null) return
    const { image, imagePullPolicy }: { image?: unknown; imagePullPolicy?: unknown } = container
    if (typeof image !== 'string') return
    // Without a policy the tag `latest`, or none, means Always.
    const always =
      imagePullPolicy === 'Always' || (imagePullPolicy === undefined && !/:(?!latest$)[\w.-]+(@|$)/.test(image))
    if (always)
      throw new BundleError(
        'contents',
        `chart ${this.#chart} has its nodes pull ${image} each time (imagePullPolicy Always): set another policy in k8s/platform/helm.`,
      )
    this.#found.add(image)
  }
}

/** An image as it is loaded from a file: a file keeps the name and the tag, and no digest. */
export const withoutDigest = (image: string): string => image.replace(/@sha256:[0-9a-f]{64}$/, '')

/** By which Docker knows an image that was pulled by its digest: without the tag. Undefined where there is no digest. */
export function byDigest(image: string): string | undefined {
  const found = /^(.*?)(?::[\w.-]+)?(@sha256:[0-9a-f]{64})$/.exec(image)
  return found === null ? undefined : `${found[1]}${found[2]}`
}

/** Images of one place have layers in common, and go into one archive: `quay.io/cilium/envoy:1` into `quay.io-cilium`. */
export function groupOf(image: string): string {
  const parts = image.split('/').slice(0, -1)
  return parts.length === 0 ? 'docker.io-library' : parts.join('-').replaceAll(':', '_')
}

/** The images by group, each once, in order. */
export function grouped(images: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>()
  for (const image of [...new Set(images)].sort())
    groups.set(groupOf(image), [...(groups.get(groupOf(image)) ?? []), image])
  return groups
}
