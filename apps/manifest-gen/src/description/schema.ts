import { z } from 'zod'
import { MAX_IMAGE } from './image.js'
import { quantity } from './quantity.js'
import {
  dnsLabel,
  dnsSubdomain,
  hostName,
  isPlatform,
  isPolicys,
  isTaken,
  labelKey,
  labelValue,
  MAX_NAME,
  meshPorts,
  methods,
  requestPath,
  serviceName,
  variableName,
} from './words.js'

/** Enough for any service there is, and no more policies than a person can read. */
export const MAX_PEERS = 50
const MAX_VARIABLES = 100
const MAX_VALUE = 4_096
const MAX_LABELS = 10

const says = (error: string) => ({ error })

const namespace = z
  .string()
  .max(63, says('it has at most 63 characters'))
  .regex(dnsLabel, says('it must be of a-z, 0-9 and "-", with a letter or a digit at either end'))
  .refine(
    (value) => !isPlatform(value),
    says('this namespace is the platform’s: nothing is opened there for a workload'),
  )

const name = z
  .string()
  .max(MAX_NAME, says(`it has at most ${MAX_NAME} characters, so that what is named after it has a name too`))
  .regex(serviceName, says('it must be of a-z, 0-9 and "-", with a letter first and a letter or a digit last'))
  .refine(
    (value) => !isTaken(value),
    says(
      '"default" is every namespace’s own, and istiod gives names with -istio and -waypoint to what it makes of Gateways',
    ),
  )
  .refine(
    (value) => !isPolicys(value),
    says(
      'policies have such names (default-deny, allow-..., ...-to-..., ...-requests, ...-policy, ...-rbac), and what is made for this workload would take their place',
    ),
  )

const peerName = z
  .string()
  .max(63, says('it has at most 63 characters'))
  .regex(dnsLabel, says('it must be of a-z, 0-9 and "-", with a letter or a digit at either end'))

const account = z
  .string()
  .max(63, says('it has at most 63 characters'))
  .regex(dnsSubdomain, says('it must be of a-z, 0-9, "-" and ".", with a letter or a digit at either end'))

const objectName = z
  .string()
  .max(253, says('it has at most 253 characters'))
  .regex(dnsSubdomain, says('it must be of a-z, 0-9, "-" and ".", with a letter or a digit at either end'))

const port = z
  .int(says('it must be a whole number'))
  .min(1, says('it must be from 1 to 65535'))
  .max(65_535, says('it must be from 1 to 65535'))
  .refine((value) => !meshPorts.includes(value), says('the mesh has this port for itself in every pod'))

const labels = z
  .record(
    z
      .string()
      .max(253, says('a label’s key has at most 253 characters'))
      .regex(labelKey, says('this is no key of a label')),
    z.string().regex(labelValue, says('a label’s value has at most 63 of A-Z, a-z, 0-9, "-", "_" and "."')),
  )
  .refine((value) => Object.keys(value).length > 0, says('without a label it would be every pod of the namespace'))
  .refine((value) => Object.keys(value).length <= MAX_LABELS, says(`it has at most ${MAX_LABELS} labels`))
  .meta({ description: 'Which pods are its. Default: app: <name>' })

const requests = {
  methods: z
    .array(z.enum(methods, says(`it must be one of ${methods.join(', ')}`)))
    .min(1, says('an empty list would allow none; leave it out to allow all'))
    .max(methods.length, says('there are no more methods than these'))
    .optional(),
  paths: z
    .array(
      z
        .string()
        .max(256, says('it has at most 256 characters'))
        .regex(requestPath, says('it must begin with "/", and may end with "*"; nothing else of it is a pattern')),
    )
    .min(1, says('an empty list would allow none; leave it out to allow all'))
    .max(20, says('it has at most 20 paths'))
    .optional(),
}

const caller = z.strictObject({
  namespace,
  name: peerName,
  labels: labels.optional(),
  serviceAccount: account.optional(),
  ...requests,
})

const callee = z.strictObject({
  namespace,
  name: peerName,
  port: port.meta({ description: 'The container’s, and not the Service’s' }),
  labels: labels.optional(),
  waypoint: peerName.optional().meta({ description: 'The waypoint that stands before it' }),
  service: peerName.optional().meta({ description: 'The Service that the waypoint stands before. Default: its name' }),
  ...requests,
})

const shortCaller = z
  .string()
  .max(127, says('it must be namespace/name, as in shop/sleep'))
  .regex(/^[^/:]+\/[^/:]+$/, says('it must be namespace/name, as in shop/sleep'))
const shortCallee = z
  .string()
  .max(133, says('it must be namespace/name:port, as in demo/postgres:5432'))
  .regex(/^[^/:]+\/[^/:]+:\d{1,5}$/, says('it must be namespace/name:port, as in demo/postgres:5432'))

const value = z
  .string()
  .max(MAX_VALUE, says(`it has at most ${MAX_VALUE} characters`))
  .refine((text) => !text.includes('\0'), says('no program can be given a NUL'))
  .refine((text) => !/\p{Surrogate}/u.test(text), says('it holds half of a character (a lone surrogate)'))

const variableKey = z
  .string()
  .max(128, says('it has at most 128 characters'))
  .regex(variableName, says('it must be of A-Z, a-z, 0-9, "_", "-" and ".", with no digit first'))

const variable = z
  .strictObject({
    name: variableKey,
    value: value.optional(),
    secret: z
      .strictObject({
        name: objectName,
        key: z
          .string()
          .max(253, says('it has at most 253 characters'))
          .regex(/^[-._A-Za-z0-9]+$/, says('it must be of A-Z, a-z, 0-9, "-", "_" and "."')),
      })
      .optional(),
  })
  .refine(
    (one) => (one.value === undefined) !== (one.secret === undefined),
    says('it must have either a value, or a secret that it comes from'),
  )

const amount = z.string().regex(quantity, says('it must be a quantity, as in 500m, 2 or 256Mi'))
const amounts = z.strictObject({ cpu: amount.optional(), memory: amount.optional() })
const healthPath = z
  .string()
  .max(256, says('it has at most 256 characters'))
  .regex(/^\/[A-Za-z0-9\-._~!$&'()+,;=:@%/]*$/, says('it must be a path that begins with "/"'))

const host = z
  .string()
  .max(253, says('it has at most 253 characters'))
  .regex(hostName, says('it must be the name of a host, in lower case and with a dot, as in api.github.com'))
  .refine(
    (value) => !value.endsWith('.local'),
    says('this is a name of the cluster: what it may call there is for calls'),
  )

/** What is taken. What is between its parts is for read.ts to say. */
export const descriptionSchema = z.strictObject({
  name,
  namespace,
  newNamespace: z
    .boolean()
    .optional()
    .meta({ description: 'Make the namespace too, with walls of its own. Default: false' }),
  image: z
    .string()
    .min(1, says('it is empty'))
    .max(MAX_IMAGE, says(`it has at most ${MAX_IMAGE} characters`)),
  port: port.optional().meta({ description: 'Where it listens. Absent: nowhere, and nobody may call it' }),
  servicePort: port.optional().meta({ description: 'The Service’s. Default: port' }),
  protocol: z.enum(['http', 'tcp'], says('it must be http or tcp')).optional().meta({ description: 'Default: http' }),
  health: z
    .strictObject({ live: healthPath, ready: healthPath })
    .optional()
    .meta({ description: 'Paths that the kubelet asks. Default: it opens the port' }),
  replicas: z
    .int(says('it must be a whole number'))
    .min(0, says('it must be from 0 to 100'))
    .max(100, says('it must be from 0 to 100'))
    .optional(),
  args: z.array(value).max(50, says('it has at most 50 arguments')).optional(),
  env: z
    .array(variable)
    .max(MAX_VARIABLES, says(`it has at most ${MAX_VARIABLES} variables`))
    .optional(),
  resources: z.strictObject({ requests: amounts.optional(), limits: amounts.optional() }).optional(),
  callers: z
    .array(z.union([shortCaller, caller]))
    .max(MAX_PEERS, says(`it has at most ${MAX_PEERS} callers`))
    .optional()
    .meta({ description: 'Who may call it, each namespace/name or written out. Default: nobody' }),
  calls: z
    .array(z.union([shortCallee, callee]))
    .max(MAX_PEERS, says(`it has at most ${MAX_PEERS} that it calls`))
    .optional()
    .meta({ description: 'What it may call, each namespace/name:port or written out. Default: nothing' }),
  hosts: z
    .array(host)
    .max(20, says('it has at most 20 hosts'))
    .optional()
    .meta({ description: 'Hosts outside that it may call, by TLS at 443; only with newNamespace. Default: none' }),
  waypoint: peerName.optional().meta({
    description:
      'A waypoint that the namespace has already. Default: one of its own, where a caller has methods or paths; else none',
  }),
})

export type RawDescription = z.infer<typeof descriptionSchema>
export const peerSchemas = { caller, callee }
