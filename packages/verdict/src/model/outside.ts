/**
 * Where callers outside the cluster come from, unless a flow says otherwise: the machine that kind runs on, as kind's
 * network sees it. A node that forwards the packet (externalTrafficPolicy: Cluster) would put its own address there.
 */
export const outsideAddress = '172.18.0.1'
