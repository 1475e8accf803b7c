import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../flow/judge.js'
import { authorizationPolicy, networkPolicy } from '../testing/objects.js'
import { dst, onDst, src } from '../testing/scene.js'
import { onService, onWaypoint, svc, through, withWaypoint } from '../testing/waypoint-scene.js'
import { renderVerdict } from './text.js'

/* What people read of a flow through a waypoint, or round it. */

const request = { http: { method: 'DELETE', path: '/orders/7' } }
const reading = onService({
  rules: [
    {
      from: [{ source: { principals: ['cluster.local/ns/app/sa/src'] } }],
      to: [{ operation: { methods: ['GET'], paths: ['/orders/*'] } }],
    },
  ],
})

test('a request that the waypoint denies: what was asked of whom, the policies that close, and the rule that nearly allowed', () => {
  const closed = onWaypoint({})
  const text = renderVerdict(through([reading, closed], request))
  assert.match(text, /^app\/src → app\/dst:80\/TCP {3}DENIED by .*\(waypoint\)\n/)
  assert.match(
    text,
    /\n {2}waypoint authz {2}DENIED +ALLOW policies select Service app\/dst at waypoint app\/wp, and no rule of theirs allows DELETE \/orders\/7 from cluster\.local\/ns\/app\/sa\/src on port 80\n/,
  )
  assert.match(
    text,
    /isolated by AuthorizationPolicy\/app\/on-service .*\n +and AuthorizationPolicy\/app\/on-waypoint /,
  )
  assert.match(
    text,
    /nearly: rule 0 of AuthorizationPolicy\/app\/on-service .* wants method GET, the request is a DELETE\n/,
  )
  assert.match(text, /\n {2}app\/wp → app\/dst:15008\/TCP, as cluster\.local\/ns\/app\/sa\/wp\n/)
  assert.match(text, /\nwhat app\/src sees: 403 RBAC: access denied \(curl 0 or 22\)\n$/)
})

test('what stops the waypoint behind it is said to be behind it, and the client sees a 503', () => {
  const callers = authorizationPolicy('app/dst', {
    selector: onDst,
    rules: [{ from: [{ source: { principals: ['cluster.local/ns/app/sa/src'] } }] }],
  })
  const text = renderVerdict(through([callers]))
  assert.match(text, /^app\/src → app\/dst:80\/TCP {3}DENIED by default \(ztunnel, behind the waypoint\)\n/)
  assert.match(text, /503: the gateway or waypoint could not reach the service/)
  assert.match(
    text,
    /wants principal cluster\.local\/ns\/app\/sa\/src, the caller is cluster\.local\/ns\/app\/sa\/wp\n/,
  )
})

test('who goes round a waypoint is told so, and why; that is no wall', () => {
  const text = renderVerdict(judge({ from: src, to: dst, port: 8080, ...request }, withWaypoint([reading])))
  assert.match(
    text,
    /\n {2}waypoint +no wall +waypoint app\/wp is not on the way: the pod itself was called, and the waypoint is for Services +wp\.yaml:1\n/,
  )
  assert.match(text, /^app\/src → app\/dst:8080\/TCP {3}ALLOWED\n/)
  const refused = renderVerdict(
    judge({ from: src, to: svc, port: 80, http: { method: 'GET', path: '/%00' } }, withWaypoint()),
  )
  assert.match(
    refused,
    /REFUSED \(400\): GET \/%00 is answered with 400: there is an escaped NUL \(%00\) in its path\n/,
  )
  assert.match(refused, /\n {2}waypoint +STOPS /)
})

test('a rule of the network that lets the waypoint in tells no callers apart, and that is said', () => {
  const ingress = [{ from: [{ podSelector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'wp' } } }] }]
  const open = networkPolicy('app/from-wp', { podSelector: onDst, ingress })
  const says = /\n +note: behind a waypoint the network sees the waypoint, whoever called it/g
  assert.equal(renderVerdict(through([open])).match(says)?.length, 1)
  assert.equal(renderVerdict(through([])).match(says), null)
})
