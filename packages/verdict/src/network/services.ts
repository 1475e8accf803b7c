import type { LabelSelector, Resource, Service } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import { namespaceOf, ofKind } from '../model/kinds.js'

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

/** The cluster's DNS, which no manifest here brings along. */
const clusterDns = { key: 'kube-system/kube-dns', namespace: 'kube-system', selector: { 'k8s-app': 'kube-dns' } }

export function readServiceSelectors(resources: readonly Resource[]): ServiceSelectors {
  const services = ofKind<Service>(resources, '', 'Service').map((resource) => {
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
  if (!services.some(({ key }) => key === clusterDns.key)) {
    services.push({ ...clusterDns, name: 'kube-dns', labels: { 'k8s-app': 'kube-dns' } })
  }
  const inside = (namespace: string | undefined) => (one: { readonly namespace: string }) =>
    namespace === undefined || one.namespace === namespace
  return {
    named: (name, namespace) => services.filter(inside(namespace)).filter((one) => one.name === name),
    labelled: (selector, namespace) =>
      services.filter(inside(namespace)).filter(({ labels }) => selectorMatches(selector, labels)),
  }
}
