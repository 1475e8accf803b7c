import { field, list, text } from './match/fields.js'

/**
 * Whether a policy of kyverno.io has a rule that may refuse, somewhere: Kyverno asks it while the request waits then, and
 * not for reports alone.
 * @param rules as they are written
 */
export function mayRefuse(spec: unknown, rules: readonly unknown[]): boolean {
  const enforces = (value: unknown) => text(value)?.toLowerCase() === 'enforce'
  const overridden = (value: unknown) => list(value).some((one) => enforces(field(one, 'action')))
  return (
    enforces(field(spec, 'validationFailureAction')) ||
    overridden(field(spec, 'validationFailureActionOverrides')) ||
    rules.some(
      (rule) =>
        enforces(field(rule, 'validate', 'failureAction')) ||
        overridden(field(rule, 'validate', 'failureActionOverrides')),
    )
  )
}
