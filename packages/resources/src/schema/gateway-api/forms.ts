import { type Form, integerOf, object, type StringSchema, string } from '../schema.js'

/* Forms of names that the kinds of Gateway API share. Source: their CustomResourceDefinitions. */

const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'

const form = (pattern: string, says: string): Form => ({ pattern: new RegExp(pattern), says })

const LOWER = 'a-z, 0-9, "-" and "." with a letter or digit at both ends'

export const hostname = string({
  minLength: 1,
  maxLength: 253,
  form: form(`^(\\*\\.)?${SUBDOMAIN}$`, `a host name: ${LOWER}, and at most a "*." before it`),
})
/** Without a wildcard. */
export const preciseHostname = string({
  minLength: 1,
  maxLength: 253,
  form: form(`^${SUBDOMAIN}$`, `a host name: ${LOWER}`),
})
/** Of a listener or a rule. */
export const sectionName = string({ minLength: 1, maxLength: 253, form: form(`^${SUBDOMAIN}$`, `a name: ${LOWER}`) })
export const objectName = string({ minLength: 1, maxLength: 253 })
export const namespaceName = string({
  minLength: 1,
  maxLength: 63,
  form: form('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', `a namespace's name: at most 63 of a-z, 0-9 and "-"`),
})
export const apiGroupName = string({
  maxLength: 253,
  form: form(`^$|^${SUBDOMAIN}$`, 'an API group, such as gateway.networking.k8s.io, or "" for the core group'),
})
export const kindName = string({
  minLength: 1,
  maxLength: 63,
  form: form('^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$', 'the name of a kind'),
})
export const headerName = string({
  minLength: 1,
  maxLength: 256,
  form: form(
    "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$",
    "the name of a header: letters, digits and !#$%&'*+-.^_`|~, without a colon",
  ),
})
/** Of a query parameter; its form is a header's. */
export const parameterName: StringSchema = string({
  ...headerName,
  form: form("^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$", 'the name of a parameter that is taken here'),
})
export const duration = string({
  form: form('^([0-9]{1,5}(h|m|s|ms)){1,4}$', 'a duration: whole numbers with h, m, s or ms, such as 10s or 1m30s'),
})
export const protocolName = string({
  minLength: 1,
  maxLength: 255,
  form: form(
    `^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|${SUBDOMAIN}\\/[A-Za-z0-9]+$`,
    'a protocol: HTTP, HTTPS, TLS, TCP, UDP, or <domain>/<name> of an implementation',
  ),
})
export const controllerName = string({
  minLength: 1,
  maxLength: 253,
  form: form(
    `^${SUBDOMAIN}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
    "a controller's name: <domain>/<path>, such as istio.io/gateway-controller",
  ),
})
export const addressType = string({
  minLength: 1,
  maxLength: 253,
  form: form(
    `^Hostname|IPAddress|NamedAddress|${SUBDOMAIN}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
    'a type of address: IPAddress, Hostname, or <domain>/<path> of an implementation',
  ),
})
export const origin = string({
  minLength: 1,
  maxLength: 253,
  form: form(
    '(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)',
    'an origin: *, or http(s)://host with or without a port',
  ),
})
export const labelValue = string({
  maxLength: 63,
  form: form('^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$', "a label's value"),
})
export const portNumber = integerOf({ min: 1, max: 65535 })

const reference = { group: apiGroupName, kind: kindName, name: objectName }

/** An object in the same namespace. */
export const localObject = object(reference, { required: ['group', 'kind', 'name'] })
/** An object of any namespace whose kind must be said. */
export const anyObject = object({ ...reference, namespace: namespaceName }, { required: ['group', 'kind', 'name'] })
/** A Secret, unless it is said otherwise. */
export const secretObject = object({ ...reference, namespace: namespaceName }, { required: ['name'] })
