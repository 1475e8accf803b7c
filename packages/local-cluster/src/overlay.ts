import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Resource } from '@bulkhead/resources'
import type { LayerState } from '@bulkhead/scenarios'
import { ClusterError, messageOf, systemCode } from './errors.js'

/** The layers that are switched off, kept in `overlay/layers.json` from one `up` to the next. `k8s/` is never written. */
export class LayerSwitches {
  readonly #file: string
  #off: ReadonlySet<string>

  constructor(stateDir: string) {
    this.#file = join(stateDir, 'overlay', 'layers.json')
    this.#off = new Set(read(this.#file))
  }

  get off(): ReadonlySet<string> {
    return this.#off
  }

  /** @throws ClusterError `state-dir`; the switches stand all the same, since what is in force must not be told wrong. */
  set(off: ReadonlySet<string>): void {
    this.#off = off
    try {
      mkdirSync(join(this.#file, '..'), { recursive: true, mode: 0o700 })
      writeFileSync(`${this.#file}.new`, `${JSON.stringify({ off: [...off].sort() })}\n`, { mode: 0o600 })
      renameSync(`${this.#file}.new`, this.#file)
    } catch (error) {
      const why = systemCode(error) || messageOf(error)
      throw new ClusterError(
        'state-dir',
        `the layers are switched, but not for the next \`bulkhead up\`: ${this.#file} cannot be written (${why}).`,
      )
    }
  }
}

function read(file: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  try {
    const { off } = JSON.parse(text) as { off?: unknown }
    if (Array.isArray(off) && off.every((name) => typeof name === 'string')) return off
  } catch {
    // Said below: a wall that was off must not come back on, or stay off, without a word.
  }
  throw new ClusterError(
    'state-dir',
    `${file} is not what \`bulkhead layer\` writes; remove it, or start with --fresh.`,
  )
}

/** The layers that the manifests have, in the order of their names, and how many objects each holds. */
export function layersOf(resources: readonly Resource[], off: ReadonlySet<string>): readonly LayerState[] {
  const counts = new Map<string, number>()
  for (const { layer } of resources) if (layer !== undefined) counts.set(layer, (counts.get(layer) ?? 0) + 1)
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, objects]) => ({ name, on: !off.has(name), objects }))
}

/**
 * A layer by its name, or by a part of it that only one has (`50`, `identity`).
 *
 * @throws ClusterError `unknown-layer`, naming the known ones.
 */
export function findLayer(name: string, layers: readonly LayerState[]): string {
  const exact = layers.find((layer) => layer.name === name)
  const close = layers.filter((layer) => layer.name.split('-').includes(name))
  const found = exact ?? (close.length === 1 ? close[0] : undefined)
  if (found !== undefined) return found.name
  throw new ClusterError(
    'unknown-layer',
    `there is no layer ${JSON.stringify(name)}; there are ${layers.map((layer) => layer.name).join(', ') || 'none'}.`,
  )
}
