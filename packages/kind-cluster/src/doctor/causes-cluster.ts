import type { KnownCause } from './causes.js'

/*
 * What is the matter with the cluster: its making, its images, what is installed on it.
 */

/** Whose webhook it is, by the name that the API server calls it. */
function webhookOwner(name: string): string {
  if (name.includes('kyverno')) return "Kyverno's"
  if (name.includes('istio')) return "istiod's"
  return 'named'
}

export const clusterCauses: readonly KnownCause[] = [
  {
    id: 'cluster-exists',
    seen: /node\(s\) already exist for a cluster with the name "([^"]+)"/,
    cause: ([, name]) => `A kind cluster named ${name} is there already.`,
    remedy: [
      '`npx bulkhead cluster status` says whether it is ours; `npx bulkhead cluster up` goes on with one of ours that is not finished.',
      'One that nobody needs goes with `kind delete cluster --name bulkhead`.',
    ],
  },
  {
    id: 'image-digest',
    seen: /ctr: content digest sha256:[0-9a-f]+: not found/,
    cause:
      'Docker keeps images in its containerd store and gave out one for several platforms, of which it has one alone; kind wants them all.',
    remedy: [
      '`docker image save --platform linux/amd64 IMAGE -o image.tar` (or linux/arm64), then `kind load image-archive image.tar --name bulkhead`.',
      'Images that are built here: with `--provenance=false`.',
    ],
  },
  {
    id: 'image-missing',
    seen: /image: "([^"]+)" not present locally|Container image "([^"]+)" is not present with pull policy of Never|failed to resolve reference "(localhost\/[^"]+)"/,
    cause: ([, local, never, ours]) =>
      `The image ${local ?? never ?? ours} is not ${local === undefined ? 'on the node: it was not loaded, and no registry has it' : 'here: it was not built, or not pulled'}.`,
    remedy: [
      '`npx bulkhead cluster up` builds and loads what is missing; `docker exec bulkhead-worker crictl images` shows what a node has.',
    ],
  },
  {
    id: 'webhook',
    seen: /failed calling webhook "([^"]+)"/,
    cause: ([, name = '']) =>
      `The API server asks ${webhookOwner(name)} webhook ${name} before it takes an object, and got no answer.`,
    remedy: [
      'Are its pods ready? `kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead get pods --namespace kyverno`, and the same of `istio-system`',
      'Right after a start it takes a moment: run the step again. If they are ready, the network between the API server and them is not: `npx bulkhead cluster doctor`.',
    ],
  },
  {
    id: 'helm-busy',
    seen: /another operation \(install\/upgrade\/rollback\) is in progress/,
    cause: 'Helm was ended in the middle of an installation, and has kept its mark that one is under way.',
    remedy: [
      '`helm history RELEASE --namespace NAMESPACE` shows which one: of a first installation `helm uninstall RELEASE --namespace NAMESPACE`, else `helm rollback RELEASE --namespace NAMESPACE`; then again.',
    ],
  },
  {
    id: 'kind-missing-crd',
    seen: /no matches for kind "([^"]+)" in version "([^"]+)"/,
    cause: ([, kind, version]) =>
      `The cluster does not know ${kind} of ${version}: its definition is not installed, or not the one that is pinned.`,
    remedy: [
      '`npx bulkhead cluster up` installs the definitions first, and goes on where it stopped; `kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead get crds` shows which are there.',
    ],
  },
  {
    id: 'skew',
    seen: /version difference between client \(([\d.]+)\) and server \(([\d.]+)\) exceeds the supported minor version skew/,
    cause: ([, client, server]) =>
      `kubectl is of ${client} and the cluster of ${server}; more than one minor version apart is not supported.`,
    remedy: [
      'Install the kubectl that `npx bulkhead cluster doctor` names. Docker Desktop brings an own one: `which -a kubectl`.',
    ],
  },
  {
    id: 'node-boot',
    seen: /could not find a log line that matches "Reached target|Couldn't find an alternative telinit implementation/,
    cause:
      'A node\'s container started, and the system in it did not: inotify limits, too little memory, cgroup v1, or `"init": true` in Docker\'s daemon.json.',
    remedy: [
      '`npx bulkhead cluster doctor` looks at these; `docker logs` of the node says which (`kind create cluster --retain` keeps it).',
    ],
  },
  {
    id: 'kubeadm',
    seen: /failed to (?:init|join) node with kubeadm|kubelet is not healthy after|kubelet isn't running or healthy|error execution phase wait-control-plane/,
    cause:
      'The control plane did not start in time: most often the machine has too little memory or CPU left, or the kubelet does not run.',
    remedy: [
      '`npx bulkhead cluster doctor`, and give Docker 4 CPUs and 8 GiB.',
      'If it stays so: `kind create cluster --name bulkhead --retain`, then `docker exec bulkhead-control-plane journalctl --unit kubelet --no-pager`, and `kind delete cluster --name bulkhead`.',
    ],
  },
  {
    id: 'old-kubeconfig',
    seen: /(?:127\.0\.0\.1|localhost):\d+[^\n]*x509: certificate signed by unknown authority|x509: certificate signed by unknown authority[^\n]*candidate authority certificate "kubernetes"/,
    cause: 'The kubeconfig is of an earlier cluster: another one of that name has been made since.',
    remedy: [
      '`npx bulkhead cluster status`; if the cluster is yours to end, `npx bulkhead cluster down` and `npx bulkhead cluster up`.',
    ],
  },
  {
    id: 'api-down',
    seen: /connection to the server (?:127\.0\.0\.1|localhost):\d+ was refused|dial tcp (?:127\.0\.0\.1|\[::1\]):\d+: connect: connection refused|Unable to connect to the server: EOF/,
    cause:
      'The cluster does not answer: its containers have stopped, as they do when Docker or the machine is started anew.',
    remedy: [
      '`docker start bulkhead-control-plane bulkhead-worker bulkhead-worker2`, then `npx bulkhead cluster status` until all is ready.',
    ],
  },
]
