import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closestSentence, en } from '../messages/en.js'
import { reasonCodes } from '../reasons.js'
import { authorizationPolicy, peerAuthentication } from '../testing/objects.js'
import { dst, onDst, plain, src, srcPrincipal, verdict } from '../testing/scene.js'
import { renderVerdict, symptomSentence } from './text.js'

const nothing = authorizationPolicy('app/allow-nothing', {}, { layer: '50-identity', file: 'k8s/allow-nothing.yaml' })
const srcOnly = authorizationPolicy(
  'app/dst',
  {
    selector: onDst,
    rules: [
      { from: [{ source: { principals: [srcPrincipal, '*/sa/friend'] } }], to: [{ operation: { ports: ['8080'] } }] },
    ],
  },
  { layer: '50-identity', file: 'k8s/dst.yaml' },
)
const strict = peerAuthentication(
  'app/default',
  { mtls: { mode: 'STRICT' } },
  { layer: '40-mtls', file: 'k8s/mtls.yaml' },
)

test('a denied flow, as the terminal shows it', () => {
  assert.equal(
    renderVerdict(verdict([nothing, srcOnly, strict], plain)),
    `plain/src → app/dst:8080/TCP   DENIED by 40-mtls (ztunnel)
  cni-egress     allowed     no network policy selects plain/src for egress
  cni-ingress    allowed     no network policy selects app/dst for ingress
  ztunnel mtls   DENIED      PeerAuthentication/app/default says STRICT, and this is a caller without an identity (10.244.1.5)  k8s/mtls.yaml:9
  ztunnel authz  would deny  ALLOW policies select app/dst, and no rule of theirs lists a caller without an identity (10.244.1.5) on port 8080
                             isolated by AuthorizationPolicy/app/allow-nothing (k8s/allow-nothing.yaml:7)
                                     and AuthorizationPolicy/app/dst (k8s/dst.yaml:11)
                             nearly: rule 0 of AuthorizationPolicy/app/dst (k8s/dst.yaml:12) wants principal ${srcPrincipal} or */sa/friend, the caller has none
  would also be stopped by 50-identity (ztunnel authz)
what plain/src sees: a connection that opened and was closed without a byte (curl 35 or 52 or 56)
`,
  )
})

test('an allowed flow ends with an answer', () => {
  const lines = renderVerdict(verdict([srcOnly], src)).split('\n')
  assert.equal(lines[0], 'app/src → app/dst:8080/TCP   ALLOWED')
  assert.match(
    lines[4] ?? '',
    /^ {2}ztunnel authz {2}allowed {2}rule 0 of AuthorizationPolicy\/app\/dst allows .* k8s\/dst\.yaml:12$/,
  )
  assert.equal(lines.at(-2), 'what app/src sees: an answer of the application (curl 0)')
})

test('what ends a connection and is no wall is not called a denial', () => {
  const text = renderVerdict(verdict([], src, dst, 4444))
  assert.match(
    text,
    /^app\/src → app\/dst:4444\/TCP {3}NOT REACHED: app\/dst is not known to listen on port 4444 \(it has .*8080\/TCP/,
  )
  assert.match(text, /\n {2}destination +STOPS /)
  // It is no second wall either.
  const denied = renderVerdict(verdict([nothing], src, dst, 4444))
  assert.match(denied, /\n {2}destination +would stop /)
  assert.doesNotMatch(denied, /would also be stopped by/)
  assert.match(renderVerdict(verdict([], src, dst, 8080, { certificate: 'none' })), /DENIED by the mesh \(HBONE\)/)
})

test('every reason has a sentence, and no other has one', () => {
  assert.deepEqual(Object.keys(en).sort(), [...reasonCodes].sort())
})

test('the closest rule says what it wants and what the call has, of every kind of attribute', () => {
  const closest = (lacks: Parameters<typeof closestSentence>[0]['lacks']): string =>
    closestSentence({ policy: 'AuthorizationPolicy/a/p', rule: 1, at: 'f:3', lacks })
  const start = 'rule 1 of AuthorizationPolicy/a/p (f:3) '
  assert.equal(closest([{ attribute: 'ports', wants: ['80'], has: '81' }]), `${start}wants port 80, the call is to 81`)
  assert.equal(
    closest([
      { attribute: 'notNamespaces', wants: ['b'], has: 'b' },
      { attribute: 'when source.ip not', wants: ['10.0.0.0/8'], has: '10.1.1.1' },
    ]),
    `${start}wants namespace other than b, the caller's is b, and wants an address in other than 10.0.0.0/8, the caller's is 10.1.1.1`,
  )
  assert.equal(
    closest([{ attribute: 'methods', wants: [], has: 'ztunnel does not read HTTP, so it leaves the rule out' }]),
    `${start}has methods: ztunnel does not read HTTP, so it leaves the rule out`,
  )
})

test('a symptom names what curl says', () => {
  assert.equal(symptomSentence('timeout'), 'nothing: the connect timed out (curl 28)')
  assert.equal(symptomSentence('admission-refused'), 'the API server refused the object')
})
