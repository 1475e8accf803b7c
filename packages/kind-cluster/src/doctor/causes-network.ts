import type { KnownCause } from './causes.js'

/*
 * What is the matter between this machine and the registries. Last of all comes what merely took too long.
 */

export const networkCauses: readonly KnownCause[] = [
  {
    id: 'pull-limit',
    seen: /toomanyrequests|429 Too Many Requests|pull rate limit/i,
    cause:
      "Docker Hub has a limit on how much may be pulled in some hours without an account, counted by address: behind one office or school it is everybody's.",
    remedy: [
      '`docker login` with any account, free ones too; then again. Images that are there already are not pulled anew.',
      'The nodes of the cluster pull without it: what they still need is loaded from here, or wait for some hours.',
    ],
  },
  {
    id: 'address-pool',
    seen: /non-overlapping IPv4 address pool|predefined address pools have been fully subnetted|Pool overlaps with other one|could not find an available predefined network/,
    cause:
      'Docker finds no addresses for its network: a VPN has routes over all that it may use, or too many networks are left from before.',
    remedy: [
      'End the VPN until the cluster is there, or `docker network prune`.',
      'For good: "default-address-pools" in Docker\'s daemon.json, with addresses that nothing else here has.',
    ],
  },
  {
    id: 'proxy',
    seen: /proxyconnect tcp|407 Proxy Authentication Required|Proxy Authentication Required/i,
    cause: 'A proxy is set, and cannot be reached, or wants a password.',
    remedy: [
      "Look at HTTP_PROXY and HTTPS_PROXY here, and at Docker's own: `docker info --format '{{.HTTPSProxy}}'` (Settings, Resources, Proxies, or systemd's docker.service).",
      'NO_PROXY needs `127.0.0.1,localhost,10.96.0.0/16,10.244.0.0/16,.svc,.cluster.local`.',
    ],
  },
  {
    id: 'tls',
    seen: /x509: certificate signed by unknown authority|x509: certificate has expired or is not yet valid|self[- ]signed certificate in certificate chain|tls: failed to verify certificate|unable to get local issuer certificate/i,
    cause:
      "The certificate that was shown is not one that is trusted: a company's proxy or a virus scanner stands between, and opens TLS; or the clock is wrong.",
    remedy: {
      linux: [
        "Put your company's CA certificate into `/usr/local/share/ca-certificates`, `sudo update-ca-certificates`, `sudo systemctl restart docker`.",
        'If it says "expired or is not yet valid": look at `date`.',
      ],
      macos: [
        "Put your company's CA certificate into the keychain, and restart Docker Desktop, which takes it from there.",
        'If it says "expired or is not yet valid": the clock of Docker\'s virtual machine may have stood still while this machine slept. Restart Docker.',
      ],
      wsl: [
        "Put your company's CA certificate into Windows' store and restart Docker Desktop; and for the tools in WSL into `/usr/local/share/ca-certificates`, `sudo update-ca-certificates`.",
        'If it says "expired or is not yet valid": the clock of WSL may have stood still while this machine slept. `sudo hwclock --hctosys`, or `wsl --shutdown` in Windows.',
      ],
    },
  },
  {
    id: 'dns',
    seen: /no such host|server misbehaving|temporary failure in name resolution|lookup \S+ on \S+: read udp [^\n]*i\/o timeout|could not resolve host|EAI_AGAIN|ENOTFOUND/i,
    cause: 'A name could not be resolved: there is no network, or a VPN has changed whom Docker asks.',
    remedy: {
      linux: [
        '`getent hosts registry-1.docker.io` here. If that answers and Docker does not: `sudo systemctl restart docker`, or "dns" in `/etc/docker/daemon.json`.',
      ],
      macos: [
        '`dscacheutil -q host -a name registry-1.docker.io` here. If that answers: restart Docker Desktop, after the VPN is up.',
      ],
      wsl: [
        '`getent hosts registry-1.docker.io` here. If not: `wsl --shutdown` in Windows once the VPN is up, or `networkingMode=mirrored` in `.wslconfig`.',
      ],
    },
  },
  {
    id: 'unreachable',
    seen: /TLS handshake timeout|dial tcp [^\n]*(?:i\/o timeout|network is unreachable|no route to host)|net\/http: request canceled while waiting for connection|Client\.Timeout exceeded while awaiting headers|connection reset by peer|httpReadSeeker: failed open/i,
    cause:
      'A registry, or a site with charts, was not reached, or the connection broke: a slow network, a firewall, a VPN.',
    remedy: [
      'Run it again: what is there is not fetched anew. `npx bulkhead cluster doctor --registries` says which cannot be reached.',
      'On a VPN, a smaller packet size often helps ("mtu" in Docker\'s daemon.json).',
    ],
  },
  {
    id: 'pull',
    seen: /ErrImagePull|ImagePullBackOff|pull access denied|manifest unknown/,
    cause: 'An image could not be pulled.',
    remedy: [
      "`kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead get events -A --field-selector reason=Failed` has the reason, in the registry's words.",
    ],
  },
  {
    id: 'too-slow',
    seen: /context deadline exceeded|timed out waiting for the condition|resource not ready/i,
    cause:
      'Something was not ready in the time that it had: most often images are still being pulled, or pods find no place.',
    remedy: [
      '`kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead get events -A --sort-by=.lastTimestamp` says what is waited for, `get pods -A` in its place what is there.',
      'Run the step again: what is there goes on, and nothing is fetched twice.',
    ],
  },
]
