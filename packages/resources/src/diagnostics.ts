import { printable } from './printable.js'
import type { Diagnostic, FieldPath, Position } from './types.js'

/** Where a reader of one object says what is wrong with it. The path is from the object's root. */
export type Report = (severity: Diagnostic['severity'], code: string, path: FieldPath, message: string) => void

/** `k8s/layers/50-identity/shop.yaml:12:7: sentence` */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column } = diagnostic.at
  return printable(`${file}:${line}:${column}: ${diagnostic.message}`)
}

export function placeText(at: Position): string {
  return `${at.file}:${at.line}:${at.column}`
}

/** By file, then by line: the order in which they are put right. */
export function inFileOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted(
    (a, b) =>
      (a.at.file < b.at.file ? -1 : a.at.file > b.at.file ? 1 : 0) ||
      a.at.line - b.at.line ||
      a.at.column - b.at.column,
  )
}

const SHOWN = 50

/** Manifests that cannot be used. Every mistake found is in `diagnostics`; `message` shows one a line, as `file:line:column: sentence`. */
export class ManifestError extends Error {
  /** The errors, in the order of the files. Never empty. */
  readonly diagnostics: readonly Diagnostic[]
  /** What is likely wrong besides. */
  readonly warnings: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[], warnings: readonly Diagnostic[] = []) {
    const shown = diagnostics.slice(0, SHOWN).map(formatDiagnostic)
    if (diagnostics.length > SHOWN) shown.push(`... and ${diagnostics.length - SHOWN} more`)
    super(shown.join('\n'))
    this.name = 'ManifestError'
    this.diagnostics = diagnostics
    this.warnings = warnings
  }
}

/** A value as an error quotes it: one line, not too long. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
