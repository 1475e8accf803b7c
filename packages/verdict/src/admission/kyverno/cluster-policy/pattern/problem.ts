/*
 * Why a pattern does not fit. Kyverno tells a mismatch from a condition that is not met by the words of its own message,
 * wherever they come from: so does this, or it would refuse what a cluster lets in.
 */

export type ProblemKind = 'condition' | 'global' | 'negation'

const words: Readonly<Record<ProblemKind, string>> = {
  condition: 'conditional anchor mismatch',
  global: 'global anchor mismatch',
  negation: 'negation anchor matched in resource',
}

export interface Problem {
  readonly text: string
  /** Of the field; absent where Kyverno has lost it. */
  readonly path?: readonly (string | number)[]
  readonly kind?: ProblemKind
  /** Put together from what all elements of a list, or all conditions of an object, have said. */
  readonly combined?: true
}

export function problem(text: string, path?: readonly (string | number)[]): Problem {
  return { text, ...(path !== undefined && { path }) }
}

export function anchorProblem(kind: ProblemKind, text: string, path: readonly (string | number)[]): Problem {
  return { kind, text: `${words[kind]}: ${text}`, path }
}

export function combine(problems: readonly Problem[], path: readonly (string | number)[]): Problem {
  return { text: problems.map(({ text }) => text).join('; '), path, combined: true }
}

/** The rule, or this element of a list, is not about the object. */
export function skips(one: Problem): boolean {
  return is(one, 'condition') || is(one, 'global')
}

export function is(one: Problem, kind: ProblemKind): boolean {
  return one.kind === undefined ? one.text.includes(words[kind]) : one.kind === kind
}

/** `/spec/containers/0/`, as Kyverno writes it. */
export function pathText(path: readonly (string | number)[]): string {
  return path.length === 0 ? '/' : `/${path.join('/')}/`
}
