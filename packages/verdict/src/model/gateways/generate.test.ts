import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ConfigMap,
  type Gateway,
  type GatewayClass,
  parseManifests,
  type Resource,
  type Service,
  type Workload,
} from '@bulkhead/resources'
import { ambient, type GatewayOptions, gateway, resource } from '../../testing/objects.js'
import { compile } from '../compile.js'
import { CompileError } from '../compile-error.js'
import { rawField } from '../kinds.js'
import { gatewayObjects } from './gateways.js'
import { istioVersion, proxyImage } from './proxy.js'

/*
 * The objects that istiod makes of a Gateway (its templates kube-gateway.yaml and waypoint.yaml, and what its deployment
 * controller adds): admission judges them like anybody's.
 */

function made(spec: Partial<Gateway['spec']> = {}, options: GatewayOptions = {}, ...more: readonly Resource[]) {
  const objects = gatewayObjects([ambient('app'), gateway('app/gw', spec, options), ...more])
  const of = (kind: string) => objects.find((one) => one.kind === kind)?.object
  const deployment = of('Deployment') as Workload
  const [container] = deployment.spec.template.spec.containers
  assert.ok(container)
  return { objects, account: of('ServiceAccount'), deployment, service: of('Service') as Service, container }
}

const waypoint = { gatewayClassName: 'istio-waypoint', listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }] }

function overlay(data: Readonly<Record<string, string>>): [Partial<Gateway['spec']>, GatewayOptions, Resource] {
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'overlay', namespace: 'app' }, data }
  return [{ infrastructure: { parametersRef: { group: '', kind: 'ConfigMap', name: 'overlay' } } }, {}, resource(map)]
}

test('ServiceAccount, Deployment and Service, each with the Gateway as its owner and its line', () => {
  const { objects } = made()
  assert.deepEqual(
    objects.map(({ id }) => id),
    ['ServiceAccount/app/gw-istio', 'Deployment/app/gw-istio', 'Service/app/gw-istio'],
  )
  for (const { object, position } of objects) {
    const { labels } = object.metadata
    assert.deepEqual(labels, {
      'istio.io/dataplane-mode': 'none',
      'gateway.networking.k8s.io/gateway-name': 'gw',
      'gateway.networking.k8s.io/gateway-class-name': 'istio',
      'gateway.istio.io/managed': 'istio.io-gateway-controller',
    })
    const [owner] = rawField(object, 'metadata', 'ownerReferences') as { uid: string }[]
    assert.match(owner?.uid ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.deepEqual(owner, {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      name: 'gw',
      uid: owner?.uid,
    })
    assert.equal(position(['spec']).file, 'gw.yaml')
  }
  assert.notDeepEqual(
    rawField(objects[0]?.object, 'metadata', 'ownerReferences'),
    rawField(gatewayObjects([gateway('b/gw')])[0]?.object, 'metadata', 'ownerReferences'),
  )
})

test('each is an object that the API server takes', () => {
  for (const spec of [{}, waypoint]) {
    for (const { id, object } of made(spec).objects) {
      const { diagnostics } = parseManifests(JSON.stringify(object), `${id}.yaml`)
      assert.deepEqual(diagnostics, [], id)
    }
  }
})

test('a gateway’s pod: no root, no privilege but low ports, memory bounded, a profile for its system calls', () => {
  const { deployment, container } = made()
  const pod = deployment.spec.template.spec
  assert.equal(proxyImage, `docker.io/istio/proxyv2:${istioVersion}-distroless`)
  assert.equal(container.image, proxyImage)
  assert.deepEqual(rawField(pod, 'securityContext'), {
    sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    seccompProfile: { type: 'RuntimeDefault' },
  })
  const context = {
    privileged: false,
    runAsUser: 1337,
    runAsGroup: 1337,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
  }
  assert.deepEqual(rawField(container, 'securityContext'), context)
  assert.deepEqual(rawField(container, 'resources', 'limits'), { cpu: '2000m', memory: '1024Mi' })
  assert.equal(rawField(pod, 'automountServiceAccountToken'), undefined)
  assert.equal(pod.serviceAccountName, 'gw-istio')
  assert.deepEqual(
    pod.volumes?.map(({ name, ...source }) => `${name} ${Object.keys(source)}`),
    [
      ...['workload-socket emptyDir', 'credential-socket emptyDir', 'workload-certs emptyDir', 'istio-envoy emptyDir'],
      ...['istio-data emptyDir', 'istio-podinfo downwardAPI', 'istio-token projected', 'istiod-ca-cert configMap'],
    ],
  )
  assert.deepEqual(container.args?.slice(0, 4), ['proxy', 'router', '--domain', '$(POD_NAMESPACE).svc.cluster.local'])
  assert.deepEqual(
    container.ports?.map(({ name, containerPort }) => `${name} ${containerPort}`),
    ['metrics 15020', 'status-port 15021', 'http-envoy-prom 15090'],
  )
  assert.deepEqual(container.readinessProbe?.httpGet, { path: '/healthz/ready', port: 15021, scheme: 'HTTP' })
  assert.deepEqual(deployment.spec.template.metadata?.annotations, {
    'istio.io/rev': 'default',
    'prometheus.io/path': '/stats/prometheus',
    'prometheus.io/port': '15020',
    'prometheus.io/scrape': 'true',
  })
})

test('a waypoint’s pod: the profile is its container’s, and it has no need of low ports', () => {
  const { account, deployment, service, container } = made(waypoint)
  assert.equal(account?.metadata.name, 'gw')
  assert.equal(rawField(deployment, 'spec', 'template', 'spec', 'securityContext'), undefined)
  assert.deepEqual(rawField(container, 'securityContext', 'seccompProfile'), { type: 'RuntimeDefault' })
  assert.equal(rawField(container, 'securityContext', 'runAsNonRoot'), true)
  assert.deepEqual(rawField(container, 'resources', 'limits'), { cpu: '2', memory: '1Gi' })
  assert.deepEqual(container.args?.slice(0, 6), [
    ...[
      'proxy',
      'waypoint',
      '--domain',
      '$(POD_NAMESPACE).svc.cluster.local',
      '--serviceCluster',
      'gw.$(POD_NAMESPACE)',
    ],
  ])
  assert.deepEqual(
    container.volumeMounts?.map(({ name }) => name),
    ['workload-socket', 'istiod-ca-cert', 'istio-data', 'istio-envoy', 'istio-token', 'istio-podinfo'],
  )
  // Its template says of the pods alone that they are not captured.
  const mode = 'istio.io/dataplane-mode'
  assert.deepEqual(
    [deployment.metadata, deployment.spec.template.metadata, service.metadata, account?.metadata].map(
      (metadata) => metadata?.labels?.[mode],
    ),
    [undefined, 'none', undefined, undefined],
  )
  assert.deepEqual(service.metadata.annotations, { 'networking.istio.io/traffic-distribution': 'PreferClose' })
  assert.equal(rawField(service, 'spec', 'type'), 'ClusterIP')
})

test('the Service says which protocol its ports carry, and which address its load balancer is to have', () => {
  const listeners = [
    { name: 'web.a', port: 80, protocol: 'HTTP' },
    { name: 'tls', port: 443, protocol: 'HTTPS' },
  ]
  const { service } = made({ listeners, addresses: [{ type: 'IPAddress', value: '192.0.2.1' }] })
  assert.deepEqual(service.spec.ports, [
    { name: 'status-port', port: 15021, protocol: 'TCP', appProtocol: 'tcp' },
    { name: 'web-a', appProtocol: 'http', port: 80, protocol: 'TCP' },
    { name: 'tls', appProtocol: 'https', port: 443, protocol: 'TCP' },
  ])
  assert.equal(rawField(service, 'spec', 'loadBalancerIP'), '192.0.2.1')
  const annotations = { 'networking.istio.io/service-type': 'NodePort' }
  const node = made({ addresses: [{ value: '192.0.2.1' }] }, { annotations })
  assert.equal(rawField(node.service, 'spec', 'loadBalancerIP'), undefined)
})

test('annotations of the Gateway choose the image and the logs: whoever may write it, chooses what runs', () => {
  const image = (annotations: Readonly<Record<string, string>>) => made({}, { annotations }).container.image
  assert.equal(image({ 'sidecar.istio.io/proxyImage': 'evil.example/proxy:1' }), 'evil.example/proxy:1')
  assert.equal(image({ 'sidecar.istio.io/proxyImage': 'proxyv3' }), proxyImage, 'no whole name')
  assert.equal(image({ 'sidecar.istio.io/proxyImageType': 'debug' }), `docker.io/istio/proxyv2:${istioVersion}-debug`)
  assert.equal(image({ 'sidecar.istio.io/proxyImageType': 'default' }), `docker.io/istio/proxyv2:${istioVersion}`)
  const { container } = made({}, { annotations: { 'sidecar.istio.io/logLevel': 'debug' } })
  assert.deepEqual(container.args?.slice(4, 8), [
    ...['--proxyLogLevel', 'debug', '--proxyComponentLogLevel', 'misc:error'],
  ])
})

test('the parametersRef lays over the ServiceAccount and the Deployment too', () => {
  const { account, deployment, container } = made(
    ...overlay({
      serviceAccount: 'automountServiceAccountToken: false\nmetadata: {annotations: {why: test}}',
      deployment:
        'spec: {template: {spec: {automountServiceAccountToken: false, securityContext: {runAsNonRoot: true}}}}',
    }),
  )
  assert.equal(rawField(account, 'automountServiceAccountToken'), false)
  assert.deepEqual(account?.metadata.annotations, { why: 'test' })
  assert.equal(rawField(deployment, 'spec', 'template', 'spec', 'automountServiceAccountToken'), false)
  assert.equal(rawField(deployment, 'spec', 'template', 'spec', 'securityContext', 'runAsNonRoot'), true)
  assert.ok(rawField(deployment, 'spec', 'template', 'spec', 'securityContext', 'sysctls'), 'what was there stays')
  assert.equal(container.image, proxyImage)
})

test('an overlay that names the object otherwise makes nothing, as istiod does', () => {
  for (const [key, text] of [
    ['deployment', 'metadata: {name: other}'],
    ['service', 'metadata: {namespace: other}'],
    ['serviceAccount', 'metadata: {finalizers: [example.org/stay]}'],
  ] as const) {
    assert.throws(
      () => made(...overlay({ [key]: text })),
      (error) =>
        error instanceof CompileError && error.message.includes(`the overlay "${key}" of a gateway changes metadata.`),
      key,
    )
  }
  assert.ok(made(...overlay({ deployment: 'metadata: {name: gw-istio}' })), 'its own name changes nothing')
})

test('an account that is written stays as it is written', () => {
  const written = resource({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'gw-istio', namespace: 'app' },
  })
  assert.deepEqual(
    made({}, {}, written).objects.map(({ kind }) => kind),
    ['Deployment', 'Service'],
  )
})

test('compile runs the same pod', () => {
  const [pod] = [...compile([ambient('app'), gateway('app/gw')]).pods.values()]
  assert.ok(pod)
  const { 'pod-template-hash': hash, ...labels } = pod.labels
  assert.ok(hash)
  assert.deepEqual(labels, made().deployment.spec.template.metadata?.labels)
})

test('an overlay may say how it is merged; what the API server would refuse then is told, and stumbles nobody', () => {
  const drop = (list: string, key: string, name: string) => `${list}: [{ ${key}: ${name}, $patch: delete }]`
  const { deployment, container } = made(
    ...overlay({
      deployment: `spec: {template: {spec: {${drop('volumes', 'name', 'istio-podinfo')}, containers: [{name: istio-proxy, ${drop('volumeMounts', 'mountPath', '/etc/istio/pod')}}]}}}`,
    }),
  )
  const names = (list: readonly { readonly name: string }[] = []) => list.map(({ name }) => name)
  assert.ok(!names(deployment.spec.template.spec.volumes).includes('istio-podinfo'))
  assert.ok(!names(container.volumeMounts).includes('istio-podinfo') && names(container.volumeMounts).length === 7)
  assert.equal(container.image, proxyImage, 'what the overlay does not name stays')
  for (const [key, text, why] of [
    ['deployment', 'spec: null', 'leaves spec.selector.matchLabels without an object of text'],
    ['deployment', 'spec: {template: null}', 'leaves spec.template.metadata.labels without'],
    ['deployment', 'spec: {template: {spec: null}}', 'leaves spec.template.spec without an object'],
    ['deployment', 'spec: {template: {spec: {containers: 7}}}', 'leaves spec.template.spec.containers without a list'],
    ['deployment', 'spec: {template: {spec: {containers: [{$patch: replace}]}}}', 'without at least one container'],
    ['deployment', 'spec: {template: {spec: {containers: [{name: istio-proxy, ports: 5}]}}}', 'a list of containers'],
    ['deployment', 'spec: {template: {spec: {hostNetwork: "yes"}}}', 'hostNetwork without true or false'],
    [
      'deployment',
      'spec: {template: {metadata: {labels: {gateway.networking.k8s.io/gateway-name: x}}}}',
      'takes labels',
    ],
    ['deployment', 'metadata: null', 'leaves metadata without an object'],
    ['deployment', 'kind: Pod', 'makes something else of the Deployment'],
    ['deployment', '$patch: delete', 'makes something else of the Deployment'],
    ['service', 'spec: {ports: [{$patch: replace}]}', 'leaves spec.ports without at least one port'],
    ['service', 'spec: {ports: 5}', 'leaves spec.ports without a list of ports'],
    ['service', 'spec: {selector: 5}', 'leaves spec.selector without'],
    ['serviceAccount', 'metadata: null', 'leaves metadata without an object'],
    ['deployment', '$patch: merged', 'cannot be laid over: $patch is "merged"'],
  ] as const) {
    assert.throws(
      () => {
        const [spec, options, map] = overlay({ [key]: text })
        return compile([ambient('app'), gateway('app/gw', spec, options), map])
      },
      (error) => {
        assert.ok(error instanceof CompileError, `${text}: ${String(error)}`)
        assert.ok(
          error.message.includes(`the overlay "${key}" of a gateway `) && error.message.includes(why),
          error.message,
        )
        return true
      },
    )
  }
})

test('a class has overlays of its own, and the Gateway’s are laid over them', () => {
  const [spec, options, own] = overlay({ deployment: 'spec: {replicas: 3}' })
  const ofClass = (name: string, namespace = 'istio-system') =>
    resource({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'class', namespace, labels: { 'gateway.istio.io/defaults-for-class': name } },
      data: { deployment: 'spec: {replicas: 2, revisionHistoryLimit: 1}', service: 'spec: {type: ClusterIP}' },
    } as ConfigMap)
  const { deployment, service } = made(spec, options, own, ofClass('istio'))
  assert.deepEqual([deployment.spec.replicas, rawField(deployment, 'spec', 'revisionHistoryLimit')], [3, 1])
  assert.equal(rawField(service, 'spec', 'type'), 'ClusterIP')
  assert.equal(made({}, {}, ofClass('istio-waypoint')).deployment.spec.replicas, undefined, 'another class')
  assert.equal(made({}, {}, ofClass('istio', 'app')).deployment.spec.replicas, undefined, 'anybody’s namespace')
})

test('the same Gateway with the same overlays makes the same objects, and another overlay others', () => {
  const [spec, options, map] = overlay({ deployment: 'spec: {replicas: 2}' })
  const [, , other] = overlay({ deployment: 'spec: {replicas: 3}' })
  const own = gateway('app/gw', spec, options)
  const replicas = (...objects: readonly Resource[]) =>
    gatewayObjects([ambient('app'), own, ...objects]).map(({ object }) => object)
  const [first, again, changed] = [replicas(map), replicas(map), replicas(other)]
  assert.deepEqual(
    first.map((object, index) => [object === again[index], object === changed[index]]),
    [...Array(3)].map(() => [true, false]),
  )
  assert.equal(rawField(changed[1], 'spec', 'replicas'), 3)
  const klass = (controllerName: string) =>
    resource({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'istio' },
      spec: { controllerName },
    } as GatewayClass)
  const waypointNow = replicas(map, klass('istio.io/mesh-controller'))
  assert.equal(waypointNow[1]?.metadata.name, 'gw', 'its class says another kind of proxy')
})
