import type { Target } from '../types.js'
import type { Setting } from './settings.js'

/** What became of a scenario in one setting. */
export interface Fate {
  /** `not-tried`: what it is about is a layer that is off, or it is nobody's here. `unknown`: it could not be judged, or not be seen. */
  readonly outcome: 'stopped' | 'through' | 'unknown' | 'not-tried'
  /** Of what was stopped: the layers that decided; none where it is a wall that no layer switches off. */
  readonly by?: readonly string[]
  /** Why it was not tried, or is unknown. */
  readonly because?: string
  /** How it is not as expected, a sentence each. */
  readonly differences: readonly string[]
}

/** By scenario. */
export type Fates = ReadonlyMap<string, Fate>

/** What a suite comes to in every setting. */
export interface Peeled {
  /** Who was asked. */
  readonly by: 'engine' | Target['name']
  readonly layers: readonly string[]
  readonly settings: readonly { readonly setting: Setting; readonly fates: Fates }[]
}

/** A layer, by what the attacks come to with it and without it: their ids, in the order of the suite. */
export interface LayerPeel {
  readonly layer: string
  /** With all layers on it decides these, alone or as one of several. */
  readonly decides: readonly string[]
  readonly without: {
    /** Stopped with all layers on, and not without it: all the others together do not hold them. */
    readonly through: readonly string[]
    readonly notTried: readonly string[]
    /** Legitimate calls that worked with all layers on, and do not without it, or cannot be made any more. */
    readonly shut: readonly string[]
  }
  readonly alone: {
    readonly stops: readonly string[]
    readonly through: readonly string[]
    readonly notTried: readonly string[]
    readonly unknown: readonly string[]
  }
  /**
   * Attacks that are about the layer itself, so that without it there is nothing to try; with it alone it stops them, and no other
   * layer is a wall of theirs.
   */
  readonly ownDoor: readonly string[]
  /** Attacks that no other layer is a wall of, and that were not tried with all layers on: this target has no way to make them. */
  readonly unmade: readonly string[]
}

/** What is not as it should be. */
export type Finding =
  | { readonly kind: 'through'; readonly scenario: string }
  | { readonly kind: 'holds-nothing'; readonly layer: string }
  | {
      readonly kind: 'different'
      readonly scenario: string
      readonly setting: string
      readonly differences: readonly string[]
    }
  | { readonly kind: 'unknown'; readonly scenario: string; readonly setting: string; readonly because: string }

export interface Peel {
  readonly by: Peeled['by']
  readonly attacks: readonly string[]
  readonly legitimate: readonly string[]
  readonly layers: readonly LayerPeel[]
  /** With all layers on stopped by a wall that no layer switches off. */
  readonly alwaysStopped: readonly string[]
  /** With all layers on not tried. */
  readonly notTried: readonly string[]
  readonly findings: readonly Finding[]
  readonly settings: Peeled['settings']
}
