import type { LabelSelector } from '@bulkhead/resources'

type Labels = Readonly<Record<string, string>>

/** Every label of the selector is there with that value; an empty or missing one selects everything. */
export function matchesLabels(wanted: Labels | undefined, labels: Labels): boolean {
  if (wanted === undefined) return true
  for (const key in wanted) if (labels[key] !== wanted[key]) return false
  return true
}

/** Kubernetes' label selector. NotIn and DoesNotExist also match an object that lacks the key. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return true
  if (!matchesLabels(selector.matchLabels, labels)) return false
  return (selector.matchExpressions ?? []).every((requirement) => {
    const value = labels[requirement.key]
    const values = requirement.values ?? []
    switch (requirement.operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default: // an operator that the API server would refuse selects nothing
        return false
    }
  })
}
