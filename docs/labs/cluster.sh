# For doing the labs on the cluster of `npx bulkhead cluster up`, in bash or zsh, in the folder of the clone:
#
#     . docs/labs/cluster.sh

# Each means that cluster, whatever your own kubeconfig says.
kubectl() { command kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead "$@"; }
istioctl() { command istioctl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead "$@"; }

# hubble observe ...: what Cilium wrote down. Each node's agent knows that node alone, so all are asked.
hubble() {
  for agent in $(kubectl -n kube-system get pod -l k8s-app=cilium -o name); do
    kubectl -n kube-system exec "$agent" -c cilium-agent -- hubble "$@"
  done
}

# at NAMESPACE/WORKLOAD curl ...: a call by the program in its first pod, as whoever owns that makes it; at NAMESPACE/pod/NAME in that pod.
# The images have Node.js and no curl, so at.mjs is run there: it knows curl, nslookup and nc, as far as the labs type them. Nothing is
# fetched, nothing is put beside the program, and no wall is taken down for it. Stdin goes along for who reads it: -d @-, and nc -u.
at() {
  case $1 in */*/*) at_pod=${1#*/} ;; *) at_pod=deploy/${1#*/} ;; esac
  at_namespace=${1%%/*}
  shift
  case " $* " in *' @- '* | ' nc -u '*) at_stdin=yes ;; *) at_stdin= ;; esac
  kubectl -n "$at_namespace" exec ${at_stdin:+-i} "$at_pod" -- node --input-type=module -e "$(cat docs/labs/at.mjs)" -- "$@"
}
