/* The forms of names and labels that the API server accepts (apimachinery's validation). Lengths are checked first: they bound the expressions. */

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

/** A namespace, a Service, a container: at most 63 of a-z, 0-9 and `-`. */
export const isDnsLabel = (text: string): boolean => text.length <= 63 && LABEL.test(text)
/** Most other objects: DNS labels joined by dots, at most 253. */
export const isDnsSubdomain = (text: string): boolean => text.length <= 253 && SUBDOMAIN.test(text)

/** A label's key: `name`, or `prefix/name` with a DNS name as prefix. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf('/')
  const name = text.slice(slash + 1)
  return (slash === -1 || isDnsSubdomain(text.slice(0, slash))) && name.length <= 63 && QUALIFIED.test(name)
}

/** A label's value: empty, or at most 63 of letters, digits, `-`, `_` and `.`, with a letter or digit at both ends. */
export const isLabelValue = (text: string): boolean => text === '' || (text.length <= 63 && QUALIFIED.test(text))
