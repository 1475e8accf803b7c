import type { LabelSelector, LabelSelectorRequirement } from './kinds.js'

/*
 * Pure, and without an import that runs: the verdict engine uses it in a browser too.
 */

type Labels = Readonly<Record<string, string>>

/**
 * Whether a label selector selects these labels: every pair of `matchLabels` AND every one of `matchExpressions`.
 * An empty selector selects everything. What a *missing* selector means is different from kind to kind, so that is the
 * caller's to say. Source: apimachinery's label semantics (`NotIn` and `DoesNotExist` also select where the key is missing).
 */
export function selectorMatches(selector: LabelSelector, labels: Labels): boolean {
  return (
    labelsMatch(selector.matchLabels ?? {}, labels) &&
    (selector.matchExpressions ?? []).every((one) => requirementMatches(one, labels))
  )
}

/** Whether the labels have every one of these pairs, as a Service's `selector` asks. */
export function labelsMatch(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
}

function requirementMatches(requirement: LabelSelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined
  const listed = value !== undefined && (requirement.values ?? []).includes(value)
  switch (requirement.operator) {
    case 'In':
      return listed
    case 'NotIn':
      return !listed
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}
