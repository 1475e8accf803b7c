import { quote } from '../../diagnostics.js'
import type { CiliumPortlessProtocol } from '../../kinds-network.js'
import type { At, ObjectSchema } from '../schema.js'
import { integerOf, list, object, string } from '../schema.js'
import { familyOf, rules, secret } from './l7.js'
import { serverName } from './names.js'
import { type Fields, isPortName, isSet, itemsOf, objectsOf } from './values.js'

/* `toPorts` of Cilium's rules. Source: its CustomResourceDefinition, and its own validation. */

const MOST_PORTS = 40

const PORTLESS: Readonly<Record<CiliumPortlessProtocol, true>> = {
  VRRP: true,
  IGMP: true,
  GRE: true,
  IPIP: true,
  IPV6: true,
  ESP: true,
  AH: true,
}

const portFields = {
  endPort: integerOf({ min: 0, max: 65535 }),
  port: string(),
  protocol: string({ oneOf: ['TCP', 'UDP', 'SCTP', ...Object.keys(PORTLESS), 'ANY'] }),
}
const port = object(portFields, { check: checkPort })

function checkPort({ port: text, protocol, endPort }: Fields, at: At): void {
  if (typeof protocol === 'string' && Object.hasOwn(PORTLESS, protocol)) {
    if (isSet(text) && text !== '' && text !== '0')
      at.at('port').error('value.port', `${protocol} has no ports, and this is ${quote(text)}; write "0"`)
    else
      at.at('protocol').warn(
        'protocol.option',
        `Cilium drops ${protocol} whatever the rules say, and without port: "0" refuses the policy, unless its agents run with enable-extended-ip-protocols`,
      )
    return
  }
  if (!isSet(text) || text === '') {
    at.error('value.port', 'a port is missing; for every port of a protocol write port: "0"')
    return
  }
  if (typeof text !== 'string') return
  const number = numberOf(text)
  if (number === undefined && !isPortName(text, true)) {
    at.at('port').error('value.port', `${quote(text)} ${portMistake(text)}`)
  } else if (number !== undefined && number > 0 && typeof endPort === 'number' && endPort > 0 && endPort < number) {
    at.at('endPort').error(
      'ports.end',
      `${endPort} is not the end of a range that begins at ${number}: from ${number} to 65535`,
    )
  } else if (number === undefined && typeof endPort === 'number') {
    at.at('endPort').warn('ports.end', `${quote(text)} is a port's name, and its endPort is ignored`)
  }
}

/** Cilium reads a number that begins with 0 as an octal one, so such are not taken for what they look like. */
function numberOf(text: string): number | undefined {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined
}

function portMistake(text: string): string {
  if (/^0[0-9]+$/.test(text)) return 'begins with 0, and Cilium would read it as an octal number; take the 0 away'
  if (/^[0-9]+$/.test(text)) return 'is not a port: from 0 (every port) to 65535'
  return 'is neither a port nor the name of one: at most 15 of a-z, 0-9 and "-", with a letter'
}

const tlsContext = object(
  { certificate: string(), privateKey: string(), secret, trustedCA: string() },
  { required: ['secret'] },
)

const listener = object(
  {
    envoyConfig: object(
      {
        kind: string({ oneOf: ['CiliumEnvoyConfig', 'CiliumClusterwideEnvoyConfig'] }),
        name: string({ minLength: 1 }),
      },
      { required: ['name'] },
    ),
    name: string({ minLength: 1 }),
    priority: integerOf({ min: 1, max: 100 }),
  },
  { required: ['envoyConfig', 'name'] },
)

const NO_L7 =
  'a deny rule drops packets and reads no request; deny the whole port, or allow only the requests that are meant'

/** Of `ingressDeny` and `egressDeny`: ports alone. The definition has no bound for them, Cilium's validation has. */
export const denyPort: ObjectSchema = object(
  { ports: list(port, { check: checkCount }) },
  { refused: { rules: NO_L7, serverNames: NO_L7, listener: NO_L7 } },
)

function checkCount(ports: readonly unknown[], at: At): void {
  if (ports.length > MOST_PORTS)
    at.error(
      'field.too-many',
      `${ports.length} ports, and at most ${MOST_PORTS} are taken; make a second entry of toPorts`,
    )
}

const allowFields = {
  ports: list(port, { maxItems: MOST_PORTS }),
  rules,
  serverNames: list(serverName, { minItems: 1, unique: 'whole' }),
  listener,
  originatingTLS: tlsContext,
  terminatingTLS: tlsContext,
}

export const ingressPort = object(allowFields, { check: (fields, at) => checkPortRule(fields, at, true) })
export const egressPort = object(allowFields, { check: (fields, at) => checkPortRule(fields, at, false) })

function checkPortRule(fields: Fields, at: At, isIngress: boolean): void {
  const family = familyOf(fields.rules)
  if (isIngress && family === 'dns')
    at.at('rules', 'dns').error('l7.direction', 'DNS is read on egress only: where the question is asked')
  if (isIngress && isSet(fields.listener))
    at.at('listener').error('listener.direction', 'a listener is taken on egress only')
  if (isSet(fields.listener) && family !== undefined)
    at.at('listener').error('listener.l7', `a listener does not go together with rules.${family}`)
  const names = itemsOf(fields.serverNames)
  if (names.length > 0 && family !== undefined && !isSet(fields.terminatingTLS))
    at.at('serverNames').error(
      'sni.l7',
      `serverNames do not go together with rules.${family}: what follows the ClientHello is encrypted; take one of them away, or end the TLS at Cilium (terminatingTLS)`,
    )
  if (family !== undefined) checkL7Ports(fields, family, at)
  else if (names.length > 0) checkNamedPorts(fields, at)
}

function checkL7Ports(fields: Fields, family: string, at: At): void {
  const ports = objectsOf(fields.ports)
  if (family === 'dns' && itemsOf(fields.ports).length === 0)
    at.error('l7.port', 'a DNS rule needs its port; write ports: [{ port: "53", protocol: ANY }]')
  for (const [index, { port: text, protocol = 'ANY', endPort }] of ports) {
    const place = at.at('ports', index)
    const isKnown = typeof protocol === 'string' && portFields.protocol.oneOf?.includes(protocol) === true
    if (isKnown && protocol !== 'TCP' && !(family === 'dns' && (protocol === 'UDP' || protocol === 'ANY')))
      place.error(
        'l7.protocol',
        `rules.${family} go with TCP${family === 'dns' ? ', UDP or ANY' : ''}, and this is ${protocol}`,
      )
    if (text === '0') place.error('l7.port', `rules.${family} need a port, and "0" is every port`)
    const first = typeof text === 'string' ? numberOf(text) : undefined
    if (family === 'dns' && typeof endPort === 'number' && first !== undefined && endPort > first)
      place.at('endPort').error('l7.port', 'a DNS rule takes no range of ports')
  }
}

/** A packet of another protocol has no ClientHello. */
function checkNamedPorts(fields: Fields, at: At): void {
  for (const [index, { protocol }] of objectsOf(fields.ports)) {
    if (protocol === 'UDP' || protocol === 'SCTP')
      at.at('ports', index).warn(
        'sni.protocol',
        `no connection over ${protocol} shows a server name, so nothing is opened`,
      )
  }
}
