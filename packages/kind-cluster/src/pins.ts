import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeAt, parseYaml } from '@bulkhead/resources/yaml'

/** A program of the machine that makes a cluster. */
export interface ToolPin {
  /** The oldest that will do. */
  readonly least: string
  /** The one to install: of Kubernetes' own and the like the version of what they speak to. */
  readonly version?: string
}

export type PinnedTool = (typeof TOOLS)[number]

/** `k8s/platform/versions.yaml`: what everything is pinned to. Versions are without a `v`. */
export interface Pins {
  readonly kubernetes: string
  /** `node` is the node image with its digest. */
  readonly kind: { readonly version: string; readonly node: string }
  /** What our own images are built with and run on: `image` has Node itself, `base` what is beside it in the end. */
  readonly node: { readonly version: string; readonly image: string; readonly base: string }
  readonly cilium: string
  readonly istio: string
  readonly gatewayApi: string
  readonly kyverno: { readonly version: string; readonly chart: string }
  readonly tools: Readonly<Record<PinnedTool, ToolPin>>
  /** Images that pods of ours run, by their whole names. */
  readonly images: readonly string[]
}

/** Where it is, below the clone. */
export const PINS_FILE = 'k8s/platform/versions.yaml'

const TOOLS = ['docker', 'buildx', 'kind', 'kubectl', 'helm', 'cilium', 'istioctl'] as const

/** The file cannot be used. The message has a line `file:line:column: what` for each mistake. */
export class PinsError extends Error {
  override readonly name = 'PinsError'
}

/** Reads the pins of a clone. @throws PinsError */
export function readPins(root: string): Pins {
  let text: string
  try {
    text = readFileSync(join(root, PINS_FILE), 'utf8')
  } catch (error) {
    throw new PinsError(`${PINS_FILE}:1:1: cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
  return parsePins(text, PINS_FILE)
}

/** The pins from their text. Keys that are none of these are other programs' to read. @throws PinsError */
export function parsePins(text: string, file: string): Pins {
  const { documents, problems, place } = parseYaml(text)
  const mistakes = new Mistakes(file, place)
  for (const { offset, message } of problems) mistakes.at(offset, message)
  mistakes.throwIfAny()
  const document = documents[0]
  const value = document?.value ?? {}
  const read = new Reader(value, (path, message) => {
    mistakes.at(document === undefined ? 0 : nodeAt(document.positions, path).offset, message)
  })
  const pins: Pins = {
    kubernetes: read.version('kubernetes'),
    kind: { version: read.version('kind', 'version'), node: read.text(IMAGE_BY_DIGEST, 'kind', 'node') },
    node: {
      version: read.version('node', 'version'),
      image: read.text(IMAGE_BY_DIGEST, 'node', 'image'),
      base: read.text(IMAGE_BY_DIGEST, 'node', 'base'),
    },
    cilium: read.version('cilium'),
    istio: read.version('istio'),
    gatewayApi: read.version('gateway-api'),
    kyverno: { version: read.version('kyverno', 'version'), chart: read.version('kyverno', 'chart') },
    tools: {
      docker: read.tool('docker'),
      buildx: read.tool('buildx'),
      kind: read.tool('kind'),
      kubectl: read.tool('kubectl'),
      helm: read.tool('helm'),
      cilium: read.tool('cilium'),
      istioctl: read.tool('istioctl'),
    },
    images: read.texts(IMAGE, 'images'),
  }
  mistakes.throwIfAny()
  return pins
}

/** Which version of a tool is to be installed; undefined where any will do that is not too old. */
export function wantedVersion(pins: Pins, tool: PinnedTool): string | undefined {
  const own = pins.tools[tool].version
  if (own !== undefined) return own
  const spokenTo: Partial<Record<PinnedTool, string>> = {
    kind: pins.kind.version,
    kubectl: pins.kubernetes,
    istioctl: pins.istio,
  }
  return spokenTo[tool]
}

interface Form {
  readonly pattern: RegExp
  readonly words: string
}
const VERSION: Form = { pattern: /^\d+\.\d+\.\d+$/, words: 'a version such as 1.2.3, without a v' }
const IMAGE: Form = {
  pattern: /^[a-z0-9.-]+(\/[a-z0-9._-]+)+:[\w.-]+(@sha256:[0-9a-f]{64})?$/,
  words: 'an image with its tag, such as docker.io/library/postgres:18.6',
}
const IMAGE_BY_DIGEST: Form = {
  pattern: /^[a-z0-9.-]+(\/[a-z0-9._-]+)+:[\w.-]+@sha256:[0-9a-f]{64}$/,
  words: 'an image with its tag and digest, name:tag@sha256:...',
}

class Mistakes {
  readonly #found: string[] = []
  readonly #file: string
  readonly #place: (offset: number) => { readonly line: number; readonly column: number }

  constructor(file: string, place: (offset: number) => { readonly line: number; readonly column: number }) {
    this.#file = file
    this.#place = place
  }

  at(offset: number, message: string): void {
    const { line, column } = this.#place(offset)
    this.#found.push(`${this.#file}:${line}:${column}: ${message}`)
  }

  throwIfAny(): void {
    if (this.#found.length > 0) throw new PinsError(this.#found.join('\n'))
  }
}

type Path = readonly (string | number)[]

class Reader {
  readonly #root: unknown
  readonly #mistake: (path: Path, message: string) => void

  constructor(root: unknown, mistake: (path: Path, message: string) => void) {
    this.#root = root
    this.#mistake = mistake
  }

  version(...path: Path): string {
    return this.text(VERSION, ...path)
  }

  text(form: Form, ...path: Path): string {
    const value = this.#at(path)
    if (typeof value === 'string' && form.pattern.test(value)) return value
    const name = path.join('.')
    if (value === undefined) this.#mistake(path, `${name} is missing: ${form.words} belongs there`)
    else this.#mistake(path, `${name} must be ${form.words}, and is ${JSON.stringify(value)}`)
    return ''
  }

  texts(form: Form, ...path: Path): readonly string[] {
    const value = this.#at(path)
    if (Array.isArray(value) && value.length > 0) return value.map((_, index) => this.text(form, ...path, index))
    this.#mistake(path, `${path.join('.')} must be a list, each ${form.words}`)
    return []
  }

  tool(name: string): ToolPin {
    const least = this.version('tools', name, 'least')
    if (this.#at(['tools', name, 'version']) === undefined) return { least }
    return { least, version: this.version('tools', name, 'version') }
  }

  #at(path: Path): unknown {
    let value = this.#root
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
      value = Object.entries(value).find(([key]) => key === String(step))?.[1]
    }
    return value
  }
}
