/*
 * The environment of tools: the user's own (proxies, DOCKER_HOST, PATH), without what would say which cluster is meant. helm takes
 * an address and a token from it even when it is given a kubeconfig, and keeps what it knows of releases where HELM_DRIVER says, a
 * database among others; kind takes its engine and its network from it, docker the platform of every image.
 */

const NAMES_A_CLUSTER =
  /^(KUBECONFIG|KUBERNETES_MASTER|HELM_(KUBE|DRIVER).*|HELM_NAMESPACE|KIND_CLUSTER_NAME|KIND_EXPERIMENTAL_(PROVIDER|\w+_NETWORK)|DOCKER_DEFAULT_PLATFORM)$/

/** What a child gets: `own` over `base`, and kubectl's file of preferences switched off, which may add flags to any command. */
export function childEnv(base: NodeJS.ProcessEnv, own: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries({ ...base, ...own }).filter(([name]) => !NAMES_A_CLUSTER.test(name))
  return { ...Object.fromEntries(kept), KUBERC: 'off' }
}
