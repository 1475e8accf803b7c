/*
 * The syntax of labels and names (Kubernetes: Labels and Selectors, syntax and character set; Object Names and IDs, RFC 1123
 * label names). Written so that no expression can backtrack far: lengths are looked at first.
 */

const NAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** What a namespace may be called. */
export const isNamespaceName = (text: string): boolean => DNS_LABEL.test(text)

/** A label's value; the empty one is one, too. */
export const isLabelValue = (text: string): boolean => text === '' || NAME.test(text)

/** `name` or `prefix/name`, the prefix being a DNS subdomain. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash === -1) return NAME.test(text)
  const prefix = text.slice(0, slash)
  return (
    prefix.length <= 253 &&
    prefix.split('.').every((label) => DNS_LABEL.test(label)) &&
    NAME.test(text.slice(slash + 1))
  )
}
