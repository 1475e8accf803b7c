/** One change to one object. */
export interface Edit {
  /** `Kind/namespace/name`; a new object for `add a policy`. */
  readonly object: string
  /** `file:line` to change, or beside which to add. */
  readonly at: string
  /** Of a new object: the one that it is to stand beside, at that place. */
  readonly beside?: string
  /** What to do there, in English. */
  readonly says: string
  /** The field that is added to, `spec.rules[0].from[0].source.principals`; empty for a new object. */
  readonly field: string
  /** What is added there: YAML on one line, to be pasted. */
  readonly value: string
}

/** The smallest change that would allow a denied flow, as the engine has confirmed. Not advice: what it costs is in `alsoOpens`. */
export interface Fix {
  /** In the order of the connection's way. Usually one. */
  readonly edits: readonly Edit[]
  /** Other flows between workloads that it would open as well: `shop/sleep -> shop/web-api:9090`. */
  readonly alsoOpens: readonly string[]
  /** The only caller whose flows were asked about, in a set that is too large to ask about all. */
  readonly askedOnly?: string
}

/** Why no change is proposed for a flow that policies deny. */
export interface NoFix {
  /**
   * `too-many`: each wall could be opened, and that would be more changes than `edits`. `in-the-way`: after that many
   * changes `by` stands in the way still, and nothing that is added to a policy would change that.
   */
  readonly why: 'too-many' | 'in-the-way'
  readonly edits: number
  /** The layers that would have to be changed, in the order of the way; of an object outside of the layers its name. */
  readonly where: readonly string[]
  /** What is in the way: `30-cilium: rule 0 of ... denies it (file:line)`. */
  readonly by?: string
}
