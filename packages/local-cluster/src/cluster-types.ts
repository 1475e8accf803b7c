import type { PolicyDiff } from '@bulkhead/analysis'
import type { OutsideHost, OutsideMode } from '@bulkhead/mesh'
import type { Diagnostic, KubernetesObject } from '@bulkhead/resources'
import type { Change, LayerState } from '@bulkhead/scenarios'
import type { NodeModel } from '@bulkhead/verdict'
import type { Refusal } from './admission/refusal.js'
import type { Admitted } from './admission/whole.js'
import type { Engine } from './engine.js'
import type { ImageTable } from './images.js'
import type { PodStatus } from './pod-runner.js'

export interface LocalClusterOptions {
  /** Folders with manifests, in order. */
  readonly manifests: readonly string[]
  /** The folder that files are named relative to, in positions. Default: the working directory. */
  readonly relativeTo?: string
  /** `.bulkhead`: made when it is not there. */
  readonly stateDir: string
  /** Only these layers are on (names, or the part that tells them apart). Absent: as they were left. */
  readonly layers?: readonly string[]
  /** Forget layers switched off, logs and the pods' files first. */
  readonly fresh?: boolean
  /** Default: the images of this repository. */
  readonly images?: ImageTable
  /** How long the source waits for a dropped packet. Default 1 s (10 s on a cluster). */
  readonly connectTimeoutMs?: number
  /**
   * Who answers for the two hosts of the outside that pods may be let out to: the real ones, a stand-in, or (`auto`) the
   * real ones where they can be reached at the start. Default `stand-in`. Nothing else of the real world is ever dialled.
   */
  readonly outside?: OutsideMode
  /** Of which the pods get what Node needs. Default `process.env`. */
  readonly userEnv?: Readonly<Record<string, string | undefined>>
  /** Follow the manifests' files: what is saved is in force. `quietMs` (100) is for tests. Default false. */
  readonly watch?: boolean | { readonly quietMs: number }
  /** How long new pods may take until they are ready, before a change is taken back and a rollout is stuck. Default 30 s. */
  readonly rolloutTimeoutMs?: number
  /** At which ports of this machine the cluster's external Services are: those that the manifests pin, or any. Default `any`. */
  readonly publishPorts?: 'pinned' | 'any'
  /** Called as things happen, for people. */
  readonly progress?: (event: ProgressEvent) => void
  readonly engine?: Engine
  /** Given while it starts, it ends the start. */
  readonly signal?: AbortSignal
  /** Called when the state folder is ours and nothing has been started yet; what it throws stops the start. */
  readonly claimed?: () => Promise<void>
}

export type ProgressEvent =
  | { readonly kind: 'leftovers'; readonly processes: number }
  | {
      readonly kind: 'manifests'
      readonly objects: number
      readonly pods: number
      readonly warnings: readonly Diagnostic[]
    }
  /** What the API server would not let in of them, and warned of. */
  | ({ readonly kind: 'admission' } & Admitted)
  | { readonly kind: 'mesh' }
  | { readonly kind: 'outside'; readonly hosts: readonly OutsideHost[] }
  /** Something worth a line that keeps nothing from starting. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'pods'; readonly ready: number; readonly of: number; readonly waitingFor: readonly string[] }

/** What a program needs to run as a workload's pod, until it is given back. */
export interface ExecGrant {
  readonly run: string
  readonly pod: string
  readonly env: Readonly<Record<string, string>>
  revoke(): void
}

export interface WorkloadStatus {
  /** `namespace/name` */
  readonly workload: string
  readonly kind: string
  readonly ready: number
  readonly of: number
  readonly pods: readonly PodStatus[]
  /** Why its controller creates no pod (FailedCreate): those that are missing are among `of`. */
  readonly failedCreate?: Refusal
}

export interface ClusterStatus {
  readonly target: 'local'
  readonly pid: number
  readonly generation: number
  /** RFC 3339, UTC. */
  readonly started: string
  readonly stateDir: string
  readonly nodes: readonly NodeModel[]
  readonly layers: readonly LayerState[]
  readonly changes: readonly string[]
  /** What is wrong with the files, when the last save was refused: what is in force is what was before it. */
  readonly refused?: string
  /** What the API server does not let in, or lets create no pods, until it is mended. */
  readonly notAdmitted: readonly Refusal[]
  /** Ports of this machine that lead into the cluster. */
  readonly published: readonly PublishedPort[]
  /** Who answers for the hosts outside that pods may be let out to. */
  readonly outside: readonly OutsideHost[]
  readonly workloads: readonly WorkloadStatus[]
  /** Objects and fields that decide something and are not modelled: what they touch is denied. */
  readonly notModelled: readonly { readonly id: string; readonly what: string; readonly at: string }[]
  /** What is shorter here than on a cluster, in words. */
  readonly shortened: readonly string[]
}

/** A port of this machine that leads to a Service of the cluster, as a NodePort does. */
export interface PublishedPort {
  /** `namespace/name` */
  readonly service: string
  readonly port: number
  /** `http://127.0.0.1:30080` */
  readonly url: string
  /** The port that the manifests ask for, where it could not be had. */
  readonly wanted?: number
  /** For a gateway: the host names that its routes answer for. */
  readonly hosts: readonly string[]
  /** Whom to log in as behind it, where an account was made for that at the first start, and where its password is kept. */
  readonly login?: { readonly user: string; readonly file: string }
  /** What the outside may ask there, where that is not `/`: the usual path of a service's health, if its policies allow it. */
  readonly path?: string
}

/** What a change that is in force opened and closed. */
export interface Diffed {
  /** Missing: it could not be worked out, and `undiffed` says why. The change is in force all the same. */
  readonly diff?: PolicyDiff
  readonly undiffed?: string
}

/** What became of a switch of layers. */
export interface LayersSwitched extends Diffed {
  /** Open connections that it closed. */
  readonly closed: number
  readonly generation: number
  /** Of a switch on: what is there all the same, and would be refused if it were created now. */
  readonly wouldRefuse?: readonly Refusal[]
}

/** A change that stands, under the name that withdraws it. */
export interface NamedChange {
  readonly name: string
  readonly change: Change
}

/** An object that is in force on the running target. */
export interface ObjectInForce {
  /** `Kind/namespace/name` */
  readonly id: string
  readonly layer?: string
  /** `file:line` of the object. */
  readonly at: string
  /** The change that brought it, or put it in the place of the files' own; absent where it is the files'. */
  readonly change?: string
  /** The files, without the layers that are off, hold an object of this id: it is what stays when the change is withdrawn. */
  readonly inFiles: boolean
  readonly object: KubernetesObject
  /** As the file or the change has it, where a policy has mutated it. */
  readonly given?: KubernetesObject
}

/** What became of a save under the manifests' folders. */
export type ManifestsEvent =
  | ({
      readonly kind: 'changed'
      /** In force from this generation on. */
      readonly generation: number
      readonly files: readonly string[]
      /** Open connections that the new policies deny, and that were closed. */
      readonly closedConnections: number
      /** From the first file event to being in force. */
      readonly ms: number
      /** Workloads whose pods are being started, replaced or ended because of it; how that went is told as `rollout`. */
      readonly rolling: readonly string[]
      /** Those that were not there before. */
      readonly warnings: readonly Diagnostic[]
      readonly admission: Admitted
    } & Diffed)
  /** What was in force stays in force. */
  | {
      readonly kind: 'refused'
      readonly files: readonly string[]
      /** One or more lines, with `file:line:column` where there is one. */
      readonly message: string
    }
  /** Saved, and part of nothing: the kustomization of their folder does not name them. */
  | {
      readonly kind: 'unread'
      readonly files: readonly { readonly file: string; readonly kustomization: string }[]
    }
  /** How the pods of the last save came up. The policies of the save are in force all the while. */
  | {
      readonly kind: 'rollout'
      readonly workloads: readonly string[]
      /** `stuck`: new pods are not ready within the limit; those that they were to replace stay, and serve. */
      readonly state: 'complete' | 'stuck'
      /** Pods that are not ready; empty when it is complete. */
      readonly waitingFor: readonly string[]
      /** From the save being in force. */
      readonly ms: number
    }
