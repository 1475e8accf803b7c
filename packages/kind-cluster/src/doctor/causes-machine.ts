import type { KnownCause } from './causes.js'

/*
 * What is the matter with the machine, or with the Docker on it.
 */

const inotifyLines: readonly string[] = [
  '`sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512`',
  'To keep it over a restart, put both into `/etc/sysctl.d/99-kind.conf`.',
]

const inDockersVm: readonly string[] = [
  'The limits are those of the virtual machine that Docker runs in; a container may set them for all of it:',
  '`docker run --rm --privileged alpine sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512`',
]

const space: readonly string[] = [
  '`docker system df` says what takes the room, `docker system prune` and `docker builder prune` give back what nothing uses.',
  'On macOS and Windows the disk is that of Docker\'s virtual machine: Settings, Resources, "Disk usage limit".',
]

const memory: readonly string[] = [
  'Give Docker at least 8 GiB (Settings, Resources, Memory), or end what else needs memory.',
  '`docker stats --no-stream` says who has it; `kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead get events -A --field-selector reason=Evicted` who had to go.',
]

export const machineCauses: readonly KnownCause[] = [
  {
    id: 'docker-denied',
    seen: /permission denied while trying to connect to the docker (?:daemon|api)|dial unix \S*docker\S*\.sock: connect: permission denied/i,
    cause: 'Docker runs, and this user may not speak to it: the socket belongs to root and the group docker.',
    remedy: {
      linux: [
        '`sudo usermod -aG docker "$USER"`, then log out and in again, or `newgrp docker` in this shell.',
        'Who is in that group is root on this machine; rootless Docker is the other way.',
      ],
      macos: ['Start Docker Desktop as this user, and see which socket is asked: `docker context ls`.'],
      wsl: [
        'In Docker Desktop: Settings, Resources, WSL integration, switch this distribution on.',
        'With an engine of its own in WSL: `sudo usermod -aG docker "$USER"`, then `wsl --shutdown` from Windows.',
      ],
    },
  },
  {
    id: 'docker-down',
    seen: /cannot connect to the docker daemon|failed to connect to the docker api|is the docker daemon running/i,
    cause: 'No Docker engine answers at the address that is asked.',
    remedy: {
      linux: ['`sudo systemctl start docker`', 'If it runs elsewhere: `docker context ls`, and look at DOCKER_HOST.'],
      macos: ['Start Docker Desktop (`open -a Docker`), and wait until it says that the engine runs.'],
      wsl: [
        'Start Docker Desktop in Windows, and switch on Settings, Resources, WSL integration for this distribution.',
        'With an engine of its own in WSL: `sudo service docker start`.',
      ],
    },
  },
  {
    id: 'buildx-missing',
    seen: /'buildx' is not a docker command|unknown command: docker buildx|buildx component is missing or broken/,
    cause: 'Docker is there without buildx, the plugin that builds images.',
    remedy: {
      linux: [
        "Install the package `docker-buildx-plugin` of Docker's own repository; distributions call it `docker-buildx`.",
      ],
      macos: [
        'Docker Desktop brings it along; with another engine `brew install docker-buildx`, and do what it says at its end.',
      ],
      wsl: ['Docker Desktop brings it along; with an engine of its own install `docker-buildx-plugin`.'],
    },
  },
  {
    id: 'credentials',
    seen: /error getting credentials|docker-credential-\S+": executable file not found/,
    cause:
      "Docker's configuration names a helper for passwords that is not there, so not even public images are fetched.",
    remedy: [
      'Take the line with "credsStore" out of `~/.docker/config.json`; it is often left by another Docker on the same machine.',
    ],
  },
  {
    id: 'inotify',
    seen: /inotify_(?:init|add_watch)|inotify (?:instances|watches)|fsnotify watcher|inotify object|directory watch: |too many open files/i,
    cause:
      "The kernel's limits for inotify are used up. All nodes share them with everything else on the machine, and the usual 128 instances are too few for three.",
    remedy: { linux: inotifyLines, macos: inDockersVm, wsl: inotifyLines },
  },
  {
    id: 'no-space',
    seen: /no space left on device|disk quota exceeded|node\.kubernetes\.io\/disk-pressure|low on resource: ephemeral-storage|must evict pod\(s\) to reclaim ephemeral-storage/i,
    cause: 'The disk that Docker keeps its images and containers on is full.',
    remedy: space,
  },
  {
    id: 'memory',
    seen: /OOMKilled|signal: killed|ended (?:by SIGKILL|\(SIGKILL\))|exit (?:code|status) 137|exited with (?:code )?137|low on resource: memory|node\.kubernetes\.io\/memory-pressure|Insufficient memory|out of memory/i,
    cause: 'Something was ended because memory ran out, or does not start because there is none left.',
    remedy: memory,
  },
  {
    id: 'cpu',
    seen: /\d+ Insufficient cpu/,
    cause: 'The nodes have promised all of their CPUs already, so that a pod finds no place.',
    remedy: ['Give Docker at least 4 CPUs (Settings, Resources), then make the cluster anew.'],
  },
  {
    id: 'port-taken',
    seen: /(?:127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d+)\S*[^\n]*?(?:port is already allocated|address already in use)|ports are not available[^\n]*?:(\d+)/i,
    cause: ([, first, second]) => `Port ${first ?? second} is taken by another program, or another container.`,
    remedy: {
      linux: [
        '`sudo ss -ltnp` and `docker ps` say who has it; the local target has the same ports: `npx bulkhead down`.',
      ],
      macos: [
        '`lsof -nP -iTCP -sTCP:LISTEN` and `docker ps` say who has it; the local target has the same ports: `npx bulkhead down`.',
      ],
      wsl: [
        '`ss -ltnp` and `docker ps` say who has it in WSL, `netstat -ano` in a Windows shell who has it there; the local target has the same ports: `npx bulkhead down`.',
      ],
    },
  },
  {
    id: 'cgroup-v1',
    seen: /not run on a host using cgroup v1|detected cgroup v1(?!")|error adding pid \d+ to cgroups/i,
    cause: 'The kernel uses cgroup v1, and Kubernetes runs on v2 alone since 1.35.',
    remedy: {
      linux: [
        'Start the kernel with `systemd.unified_cgroup_hierarchy=1`, or take a distribution of the last years, which has v2.',
      ],
      macos: ['Update Docker Desktop: its virtual machine has had v2 for years.'],
      wsl: [
        'In Windows, in `%UserProfile%\\.wslconfig`: `[wsl2]`, and below it `kernelCommandLine = cgroup_no_v1=all`; then `wsl --shutdown`.',
      ],
    },
  },
  {
    id: 'architecture',
    seen: /exec format error|no match for platform in manifest|does not match the (?:detected host|specified) platform/i,
    cause:
      "An image is for another processor than this machine's: amd64 where arm64 is needed, or the other way round.",
    remedy: [
      'Is DOCKER_DEFAULT_PLATFORM set? Take it away, remove the image and build it again: `docker image rm` and `npx bulkhead cluster up`.',
    ],
  },
]
