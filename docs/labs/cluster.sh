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

# client NAMESPACE/WORKLOAD ...: a container named client, which has curl, beside the program of each one's first pod: in the same
# network, behind the same walls. 10-admission refuses it, since its image is none of ours, and asks nothing of what is there already:
# so it is down meanwhile. Restart the workload, and the container is gone.
client() {
  npx bulkhead layer off 10-admission --on kind
  for app in "$@"; do
    pod=$(kubectl -n "${app%/*}" get pod -o name | grep -E "^pod/${app#*/}(-|$)" | head -n 1)
    kubectl -n "${app%/*}" debug "$pod" --image=curlimages/curl --container=client --profile=restricted -- sleep 7200
    kubectl -n "${app%/*}" wait --timeout=120s --for=jsonpath='{.status.ephemeralContainerStatuses[0].state.running.startedAt}' "$pod"
  done
  npx bulkhead layer on 10-admission --on kind
}

# node -e "$ask" URL, in a pod that has node and no curl: the answer's status, or how the call ended.
ask='fetch(process.argv[1]).then(({ status }) => console.log(status), ({ cause }) => console.log(String(cause)))'
