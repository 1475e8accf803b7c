import { reasonCodes, type Symptom, symptoms } from '@bulkhead/verdict/terms'
import { z } from 'zod'
import { nodeOf, outside } from './flow.js'
import { parsePath } from './json-path.js'

const name = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/
const ref = z.string().regex(/^[a-z0-9.-]+\/[a-z0-9.-]+$/, 'must be "namespace/name"')
const caller = z
  .string()
  .refine(
    (text) => text === outside || name.test(nodeOf(text) ?? '') || ref.safeParse(text).success,
    `must be "namespace/workload", "node name" for a program of a node itself, or "${outside}" for a caller that is not in the cluster`,
  )
const objectId = z.string().regex(/^[A-Za-z]+(\/[a-z0-9.-]+){1,2}$/, 'must be "Kind/namespace/name"')
const sentence = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .regex(/^\P{Cc}*$/u, 'must be one line of text, without control characters')
const keyOf = z.strictObject({ secret: ref, key: z.string().min(1) })
const labels = z.record(z.string(), z.string())
const port = z.int().min(1).max(65535)
const protocol = z.enum(['TCP', 'UDP', 'SCTP', 'ICMP'])
const path = z
  .string()
  .refine((text) => parsePath(text) !== undefined, 'must be a path such as "upstream_calls[0].name"')
const symptomNames = Object.keys(symptoms) as [Symptom, ...Symptom[]]

const destination = z.union(
  [
    z.strictObject({ service: ref }),
    z.strictObject({ workload: ref }),
    z.strictObject({ ip: z.ipv4() }),
    z.strictObject({ host: z.string().min(1), ip: z.ipv4().exactOptional() }),
    z.strictObject({ node: z.string().min(1) }),
    z.strictObject({
      namespace: z.string().regex(name),
      labels,
      serviceAccount: z.string().exactOptional(),
      ip: z.ipv4().exactOptional(),
      mesh: z.boolean().exactOptional(),
      ports: z
        .array(z.strictObject({ name: z.string().exactOptional(), port, protocol: protocol.exactOptional() }))
        .exactOptional(),
    }),
  ],
  'must be one of {service: namespace/name}, {workload: namespace/name}, {ip}, {host, ip?}, {node}, {namespace, labels, ...}',
)

const attempt = z.strictObject({
  kind: z.enum(['http', 'tcp', 'tls', 'hbone', 'postgres', 'mongo', 'udp', 'dns', 'socket', 'run']),
  to: destination,
  port,
  http: z
    .strictObject({
      method: z.string().regex(/^[A-Z]+$/, 'must be an HTTP method in capitals'),
      path: z.string().startsWith('/'),
      headers: z.record(z.string(), z.string()).exactOptional(),
      body: z.string().exactOptional(),
    })
    .exactOptional(),
  tls: z
    .strictObject({
      sni: z.string().min(1, 'must not be empty').exactOptional(),
      insecure: z.literal(true).exactOptional(),
    })
    .exactOptional(),
  postgres: z
    .strictObject({
      user: z.string().min(1).exactOptional(),
      database: z.string().min(1).exactOptional(),
      passwordFrom: keyOf,
    })
    .exactOptional(),
  mongo: z
    .strictObject({
      user: z.string().min(1),
      authSource: z.string().min(1).exactOptional(),
      database: z.string().min(1),
      passwordFrom: keyOf,
    })
    .exactOptional(),
  bearer: z
    .union(
      [
        z.strictObject({
          login: z.strictObject({ secret: ref, userKey: z.string().min(1), passwordKey: z.string().min(1) }),
        }),
        z.strictObject({ serviceAccountOf: ref }),
        z.strictObject({
          assertion: z.strictObject({
            key: keyOf,
            audience: z.string().min(1),
            subject: z.string().min(1),
            issuer: z.string().min(1),
          }),
        }),
      ],
      'must be one of {login: {secret, userKey, passwordKey}}, {serviceAccountOf: namespace/workload}, {assertion: {key, audience, subject, issuer}}',
    )
    .exactOptional(),
  times: z.int().min(1).max(100).exactOptional(),
  dns: z.strictObject({ query: z.string() }).exactOptional(),
  send: z.string().exactOptional(),
  certificate: z.enum(['none', 'self-signed', 'expired', 'other-domain', 'stolen']).exactOptional(),
  as: ref.exactOptional(),
  hold: z.boolean().exactOptional(),
  again: z.boolean().exactOptional(),
  timeoutMs: z.int().min(1).max(600_000).exactOptional(),
})

const change = z.strictObject({
  manifests: z.array(z.string().min(1)).min(1).exactOptional(),
  without: z.array(objectId).min(1).exactOptional(),
})

const wall = z.strictObject({
  layer: z.string().min(1),
  symptom: z.enum(symptomNames),
  code: z.enum(reasonCodes),
  policy: objectId.exactOptional(),
  message: sentence.exactOptional(),
  when: z
    .strictObject({ on: z.array(z.string()).exactOptional(), off: z.array(z.string()).exactOptional() })
    .exactOptional(),
})

const through = z.union(
  [
    z.literal('never'),
    z.strictObject({
      status: z.int().min(100).max(599).exactOptional(),
      headers: z
        .record(z.string().regex(/^[a-z0-9-]+$/, 'names of headers are written in lower case'), z.string())
        .exactOptional(),
      contains: z.string().min(1).exactOptional(),
      json: z.record(path, z.union([z.string(), z.number(), z.boolean(), z.null()])).exactOptional(),
      absent: z.array(path).exactOptional(),
    }),
  ],
  'must be "never", or what arrives: {status, headers, contains, json, absent}',
)

/** A scenario's file. `port` of an attempt is required everywhere: for `dns` it is 53, for `socket` the pod's port. */
export const scenarioSchema = z.strictObject({
  id: z.string().regex(name, 'must be lower case letters, digits and dashes'),
  title: sentence,
  story: sentence,
  kind: z.enum(['attack', 'legitimate']),
  technique: z
    .strictObject({
      attack: z
        .string()
        .regex(/^T\d{4}(\.\d{3})?$/, 'must be a MITRE ATT&CK id such as "T1210"')
        .exactOptional(),
      microsoft: z
        .string()
        .regex(/^MS-TA\d{4}$/, 'must be an id such as "MS-TA9034"')
        .exactOptional(),
    })
    .exactOptional(),
  lab: z.string().min(1).exactOptional(),
  only: z.enum(['local', 'kind']).exactOptional(),
  from: caller,
  needs: z.array(z.string().min(1)).min(1).exactOptional(),
  given: change.exactOptional(),
  attempt,
  change: change.exactOptional(),
  expect: z.strictObject({ walls: z.array(wall), through }),
  notice: sentence,
  remains: sentence.exactOptional(),
  control: z.strictObject({ from: caller, attempt, status: z.int().min(400).max(499).exactOptional() }).exactOptional(),
})

export type ScenarioFile = z.infer<typeof scenarioSchema>
