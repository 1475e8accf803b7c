import type { CiliumEntity } from '../../kinds-network.js'
import type { At, ListSchema, ObjectSchema, Schema } from '../schema.js'
import { list, map, object, string } from '../schema.js'
import { fqdn } from './names.js'
import { denyPort, egressPort, ingressPort } from './ports.js'
import { ciliumSelector } from './selectors.js'
import { checkBlock, checkExceptions, type Fields, isSet, itemsOf } from './values.js'

/* The entries of `ingress`, `egress` and their denying sisters. Source: Cilium's CustomResourceDefinition, and its own validation. */

const ENTITIES: Readonly<Record<CiliumEntity, true>> = {
  all: true,
  world: true,
  cluster: true,
  'cluster-mesh': true,
  host: true,
  init: true,
  ingress: true,
  unmanaged: true,
  'remote-node': true,
  health: true,
  none: true,
  'kube-apiserver': true,
}
const entities = list(string({ oneOf: Object.keys(ENTITIES) }))

const cidrs = list(string({ check: checkBlock }))

const objectName = string({
  maxLength: 253,
  form: { pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, says: "an object's name" },
})

const CIDR_KINDS = ['cidr', 'cidrGroupRef', 'cidrGroupSelector']

const cidrSet = list(
  object(
    {
      cidr: string({ check: checkBlock }),
      cidrGroupRef: objectName,
      cidrGroupSelector: ciliumSelector,
      except: list(string({ check: checkBlock })),
    },
    {
      check: (fields, at) => {
        if (CIDR_KINDS.filter((name) => isSet(fields[name])).length !== 1)
          at.error('peer.empty', `exactly one of ${CIDR_KINDS.join(', ')} must be set`)
        checkExceptions(fields.cidr, fields.except, at, false)
      },
    },
  ),
)

const groups = list(
  object({
    aws: object({
      labels: map(string()),
      region: string(),
      securityGroupsIds: list(string()),
      securityGroupsNames: list(string()),
    }),
  }),
)

const services = list(
  object({
    k8sService: object(
      { namespace: string(), serviceName: string() },
      {
        check: ({ namespace, serviceName }, at) => {
          if (serviceName === 'kubernetes' && namespace === 'default')
            at.warn(
              'services.kubernetes',
              'the API server is no pod behind this Service, so it is not reached by this rule; write toEntities: [kube-apiserver]',
            )
        },
      },
    ),
    k8sServiceSelector: object({ namespace: string(), selector: ciliumSelector }, { required: ['selector'] }),
  }),
)

const icmpType: Schema = {
  type: 'integerOrString',
  min: 0,
  max: 255,
  oneOf: [
    ...Array.from({ length: 256 }, (_, type) => String(type)),
    ...['EchoReply', 'DestinationUnreachable', 'Redirect', 'Echo', 'RouterAdvertisement', 'RouterSelection'],
    ...['TimeExceeded', 'ParameterProblem', 'Timestamp', 'TimestampReply', 'Photuris', 'ExtendedEchoRequest'],
    ...['ExtendedEcho Reply', 'PacketTooBig', 'EchoRequest', 'MulticastListenerQuery', 'MulticastListenerReport'],
    ...['MulticastListenerDone', 'RouterSolicitation', 'NeighborSolicitation', 'NeighborAdvertisement'],
    ...['RedirectMessage', 'RouterRenumbering', 'ICMPNodeInformationQuery', 'ICMPNodeInformationResponse'],
    ...['InverseNeighborDiscoverySolicitation', 'InverseNeighborDiscoveryAdvertisement'],
    ...['HomeAgentAddressDiscoveryRequest', 'HomeAgentAddressDiscoveryReply', 'MobilePrefixSolicitation'],
    ...['MobilePrefixAdvertisement', 'DuplicateAddressRequestCodeSuffix', 'DuplicateAddressConfirmationCodeSuffix'],
  ],
}

const icmps = list(
  object({
    fields: list(object({ family: string({ oneOf: ['IPv4', 'IPv6'] }), type: icmpType }, { required: ['type'] }), {
      maxItems: 40,
    }),
  }),
)

const authentication = object(
  { mode: string({ oneOf: ['disabled', 'required', 'test-always-fail'] }) },
  { required: ['mode'] },
)

/** Who: one of these in an entry, and no two. */
const FROM = {
  fromEndpoints: list(ciliumSelector),
  fromEntities: entities,
  fromCIDR: cidrs,
  fromCIDRSet: cidrSet,
  fromNodes: list(ciliumSelector),
  fromGroups: groups,
}
const TO_ALL = {
  toEndpoints: list(ciliumSelector),
  toEntities: entities,
  toCIDR: cidrs,
  toCIDRSet: cidrSet,
  toNodes: list(ciliumSelector),
  toServices: services,
  toGroups: groups,
}
const TO = { ...TO_ALL, toFQDNs: list(fqdn) }

export const PEERS: readonly string[] = [...Object.keys(FROM), ...Object.keys(TO)]

/** An explicit `[]` of these selects nobody, also where ports are given (Cilium's mergeEndpointSelectors). */
const NOBODY = new Set([
  ...['fromEndpoints', 'fromEntities', 'fromCIDR', 'fromCIDRSet', 'fromNodes'],
  ...['toEndpoints', 'toEntities', 'toCIDR', 'toCIDRSet', 'toNodes'],
])

/** The lists of who that an entry has, as far as they are lists. */
export const peersOf = (item: Fields): [string, readonly unknown[]][] =>
  PEERS.flatMap((name): [string, readonly unknown[]][] => {
    const value = item[name]
    return Array.isArray(value) ? [[name, value]] : []
  })

const REQUIRES = (field: string, instead: string) => ({
  [field]: `Cilium 1.19 has removed it; put what it required into the ${instead} of each rule`,
})
const NO_AUTHENTICATION = 'a deny rule drops packets; there is nobody to authenticate'

interface Kind {
  readonly peers: Readonly<Record<string, Schema>>
  readonly port: ObjectSchema
  readonly isDeny: boolean
  readonly refused: Readonly<Record<string, string>>
}

function items({ peers, port, isDeny, refused }: Kind): ListSchema {
  return list(
    object(
      { ...peers, toPorts: list(port), icmps, ...(isDeny ? {} : { authentication }) },
      {
        refused: { ...refused, ...(isDeny ? { authentication: NO_AUTHENTICATION } : {}) },
        check: (fields, at) => checkItem(fields, at, isDeny),
      },
    ),
  )
}

const fromRequires = REQUIRES('fromRequires', 'fromEndpoints')
const toRequires = REQUIRES('toRequires', 'toEndpoints')

export const ingress = items({ peers: FROM, port: ingressPort, isDeny: false, refused: fromRequires })
export const ingressDeny = items({ peers: FROM, port: denyPort, isDeny: true, refused: fromRequires })
export const egress = items({ peers: TO, port: egressPort, isDeny: false, refused: toRequires })
export const egressDeny = items({
  peers: TO_ALL,
  port: denyPort,
  isDeny: true,
  refused: {
    ...toRequires,
    toFQDNs: 'names cannot be denied, only allowed; deny addresses (toCIDRSet) or the world (toEntities)',
  },
})

function checkItem(fields: Fields, at: At, isDeny: boolean): void {
  const peers = peersOf(fields)
  const [first, second] = peers.filter(([, list]) => list.length > 0)
  if (first !== undefined && second !== undefined) {
    at.at(second[0]).error(
      'peer.combination',
      `combining ${first[0]} and ${second[0]} in one rule is not supported by Cilium; make two rules of it, which are either-or`,
    )
  }
  if (itemsOf(fields.icmps).length > 0 && itemsOf(fields.toPorts).length > 0)
    at.at('icmps').error('icmp.ports', 'icmps do not go together with toPorts in one rule; make two rules of it')
  for (const [name, list] of peers) {
    if (list.length > 0 || !NOBODY.has(name)) continue
    at.at(name).warn(
      'peer.nobody',
      `an empty list selects nobody, so this rule ${isDeny ? 'denies' : 'allows'} nothing; for everybody take ${name} away, for nobody the whole rule`,
    )
  }
  const isBare = peers.length === 0 && itemsOf(fields.toPorts).length === 0 && itemsOf(fields.icmps).length === 0
  if (isDeny && isBare)
    at.warn(
      'deny.nothing',
      'a deny rule without peers and ports denies nothing: it only starts the default deny, and what other policies allow passes; to deny everything name the entity "all"',
    )
}
