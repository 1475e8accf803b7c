import { isIP } from 'node:net'
import { quote } from '../../diagnostics.js'
import { isObject } from '../../plain.js'
import { objectMeta } from '../metadata.js'
import { isLabelKey } from '../names.js'
import type { At, Check, ListSchema } from '../schema.js'
import { list, map, object, open, string } from '../schema.js'
import {
  addressType,
  anyObject,
  apiGroupName,
  hostname,
  kindName,
  labelValue,
  localObject,
  objectName,
  portNumber,
  protocolName,
  secretObject,
  sectionName,
} from './forms.js'
import { selector } from './selector.js'

/* gateway.networking.k8s.io Gateway. Source: its CustomResourceDefinition and the rules in it. */

const allowedNamespaces = (from: readonly string[]) => object({ from: string({ oneOf: from }), selector })

const option = string({ maxLength: 4096 })

const tls = object(
  {
    mode: string({ oneOf: ['Terminate', 'Passthrough'] }),
    certificateRefs: list(secretObject, { maxItems: 64 }),
    options: map(option, { maxProperties: 16 }),
  },
  {
    check: ({ mode = 'Terminate', certificateRefs, options }, at) => {
      const some = (Array.isArray(certificateRefs) && certificateRefs.length > 0) || count(options) > 0
      if (mode === 'Terminate' && !some)
        at.error('listener.tls', 'mode Terminate needs certificateRefs or options: whose certificate is to be shown?')
    },
  },
)

const count = (value: unknown): number => (isObject(value) ? Object.keys(value).length : 0)

const listener = object(
  {
    name: sectionName,
    hostname,
    port: portNumber,
    protocol: protocolName,
    tls,
    allowedRoutes: object({
      namespaces: allowedNamespaces(['All', 'Selector', 'Same']),
      kinds: list(object({ group: apiGroupName, kind: kindName }, { required: ['kind'] }), { maxItems: 8 }),
    }),
  },
  {
    required: ['name', 'port', 'protocol'],
    check: (fields, at) => {
      const { protocol, tls: written, hostname: host } = fields
      const mode = isObject(written) ? written.mode : undefined
      const plain = ['HTTP', 'TCP', 'UDP'].find((name) => name === protocol)
      if (plain !== undefined && written !== undefined && written !== null)
        at.at('tls').error('listener.tls', `tls does not go with protocol ${plain}; take it away`)
      if (protocol === 'HTTPS' && mode === 'Passthrough')
        at.at('tls').error(
          'listener.tls',
          'with protocol HTTPS the mode is Terminate; for Passthrough the protocol is TLS',
        )
      if (protocol === 'TLS' && (mode === undefined || mode === null))
        at.error('listener.tls', 'protocol TLS needs tls.mode: Terminate or Passthrough')
      if ((protocol === 'TCP' || protocol === 'UDP') && host !== undefined && host !== null)
        at.at('hostname').error('listener.hostname', `protocol ${protocol} carries no host name; take it away`)
    },
  },
)

/** Of two listeners that are alike in these three neither could be chosen. */
const distinct: Check<readonly unknown[]> = (listeners, at) => {
  const seen = new Map<string, number>()
  for (const [index, one] of listeners.entries()) {
    if (!isObject(one)) continue
    const key = JSON.stringify([one.port, one.protocol, one.hostname ?? null])
    const first = seen.get(key)
    if (first === undefined) seen.set(key, index)
    else
      at.at(index).error(
        'listener.conflict',
        `it has the port, the protocol and the hostname of listener ${first}; one of the three must differ`,
      )
  }
}

const listeners: ListSchema = list(listener, {
  minItems: 1,
  maxItems: 64,
  unique: { field: 'name' },
  check: distinct,
})

const address = object(
  { type: addressType, value: string({ maxLength: 253 }) },
  {
    check: ({ type = 'IPAddress', value }, at) => {
      if (typeof value !== 'string') return
      if (type === 'IPAddress' && isIP(value) === 0)
        at.at('value').error('value.address', `${quote(value)} is not an IP address`)
      if (type === 'Hostname' && value !== '' && !hostname.form?.pattern.test(value))
        at.at('value').error('value.hostname', `${quote(value)} is not ${hostname.form?.says}`)
    },
  },
)

const uniqueAddresses: Check<readonly unknown[]> = (addresses, at) => {
  const seen = new Set<string>()
  for (const [index, one] of addresses.entries()) {
    const { type = 'IPAddress', value } = isObject(one) ? one : {}
    if ((type !== 'IPAddress' && type !== 'Hostname') || typeof value !== 'string') continue
    const key = `${type} ${value}`
    if (seen.has(key)) at.at(index).error('field.repeated', `the ${type} ${quote(value)} is there twice`)
    seen.add(key)
  }
}

const keys: Check<Readonly<Record<string, unknown>>> = (entries, at: At) => {
  for (const key of Object.keys(entries))
    if (!isLabelKey(key)) at.at(key).error('label.form', `the key ${quote(key)} is not one that Kubernetes takes`)
}

const validation = object(
  {
    caCertificateRefs: list(anyObject, { minItems: 1, maxItems: 16 }),
    mode: string({ oneOf: ['AllowValidOnly', 'AllowInsecureFallback'] }),
  },
  { required: ['caCertificateRefs'] },
)

const spec = object(
  {
    gatewayClassName: objectName,
    listeners,
    addresses: list(address, { maxItems: 16, check: uniqueAddresses }),
    allowedListeners: object({ namespaces: allowedNamespaces(['All', 'Selector', 'Same', 'None']) }),
    infrastructure: object({
      labels: map(labelValue, { maxProperties: 8, check: keys }),
      annotations: map(option, { maxProperties: 16, check: keys }),
      parametersRef: localObject,
    }),
    tls: object({
      backend: object({ clientCertificateRef: secretObject }),
      frontend: object(
        {
          default: object({ validation }),
          perPort: list(object({ port: portNumber, tls: object({ validation }) }, { required: ['port', 'tls'] }), {
            maxItems: 64,
            unique: { field: 'port' },
          }),
        },
        { required: ['default'] },
      ),
    }),
  },
  { required: ['gatewayClassName', 'listeners'] },
)

export const gateway = object(
  { apiVersion: string(), kind: string(), metadata: objectMeta, spec, status: open },
  { required: ['spec'] },
)
