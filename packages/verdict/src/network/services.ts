import type { LabelSelector, Resource, Service } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import { namespaceOf, ofKind } from '../model/kinds.js'
import type { Labels } from './labels.js'

/** A Service as `toServices` reads it. */
export interface SelectedService {
  readonly key: string
  readonly namespace: string
  readonly selector: Readonly<Record<string, string>> | undefined
}

export interface ServiceSelectors {
  /** The Services of that name; without a namespace, of every one. */
  named(name: string, namespace: string | undefined): readonly SelectedService[]
  labelled(selector: LabelSelector, namespace: string | undefined): readonly SelectedService[]
}

/** What every cluster has and no manifest of ours brings along. The API server's leads to a node, and selects nothing. */
const platform: readonly (SelectedService & { readonly name: string; readonly labels: Labels })[] = [
  {
    key: 'kube-system/kube-dns',
    name: 'kube-dns',
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns' },
    selector: { 'k8s-app': 'kube-dns' },
  },
  {
    key: 'istio-system/istiod',
    name: 'istiod',
    namespace: 'istio-system',
    labels: { app: 'istiod' },
    selector: { app: 'istiod', istio: 'pilot' },
  },
  {
    key: 'default/kubernetes',
    name: 'kubernetes',
    namespace: 'default',
    labels: { component: 'apiserver', provider: 'kubernetes' },
    selector: undefined,
  },
]

export function readServiceSelectors(resources: readonly Resource[]): ServiceSelectors {
  const own = ofKind<Service>(resources, '', 'Service').map((resource) => {
    const { selector = {} } = resource.object.spec
    const namespace = namespaceOf(resource)
    return {
      key: `${namespace}/${resource.name}`,
      name: resource.name,
      namespace,
      labels: resource.object.metadata.labels ?? {},
      selector: Object.keys(selector).length === 0 ? undefined : selector,
    }
  })
  const services = [...own, ...platform.filter(({ key }) => !own.some((one) => one.key === key))]
  const inside = (namespace: string | undefined) => (one: { readonly namespace: string }) =>
    namespace === undefined || one.namespace === namespace
  return {
    named: (name, namespace) => services.filter(inside(namespace)).filter((one) => one.name === name),
    labelled: (selector, namespace) =>
      services.filter(inside(namespace)).filter(({ labels }) => selectorMatches(selector, labels)),
  }
}
