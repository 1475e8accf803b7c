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
