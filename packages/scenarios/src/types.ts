import type { Flow, FlowDestination, FlowRecord, ForgedCertificate, Outcome, Symptom, Verdict } from '@bulkhead/verdict'
import type { Admission } from '@bulkhead/verdict/admission'

/**
 * How bytes are exchanged. Never a bare connect: under ambient that succeeds even when the target is denied. `run` exchanges
 * none: it is a program that runs in the caller's own pod, and tells so, because to be there is what the attack is about.
 */
export type AttemptKind = 'http' | 'tcp' | 'tls' | 'hbone' | 'postgres' | 'mongo' | 'udp' | 'dns' | 'socket' | 'run'

/** One try, made from inside a pod. */
export interface Attempt {
  readonly kind: AttemptKind
  /** Of `run` the caller itself. */
  readonly to: FlowDestination
  /** The Service's port for a service, else the container's. Not used by `dns`, `socket` and `run`. */
  readonly port: number
  readonly http?: {
    readonly method: string
    readonly path: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
  }
  /**
   * `tls`, and `http`, which is then HTTPS. `sni` is the name that the ClientHello has; default the host that is dialled,
   * for `tls` none. `http` verifies the server's certificate against it unless `insecure`; `tls` never does.
   */
  readonly tls?: { readonly sni?: string; readonly insecure?: true }
  readonly dns?: { readonly query: string }
  /**
   * `postgres`: a whole login, and a question. Without it the startup message alone, which needs no password. Defaults:
   * user `postgres`, the database of the user's name.
   */
  readonly postgres?: {
    readonly user?: string
    readonly database?: string
    /** The Secret (`namespace/name`) and its key: the password is in no scenario. */
    readonly passwordFrom: { readonly secret: string; readonly key: string }
  }
  /** `mongo`: a whole login, and a question to that database. Without it a `hello` alone, which needs no password. */
  readonly mongo?: {
    readonly user: string
    /** Where the user is kept. Default: the database. */
    readonly authSource?: string
    readonly database: string
    readonly passwordFrom: { readonly secret: string; readonly key: string }
  }
  /**
   * `http`: whose token the request carries. Whoever runs the attempt gets it, as a thief would have it: it is in no scenario.
   */
  readonly bearer?: Bearer
  /**
   * `http`: ask as many times, one after the other, each on a connection of its own, until one is stopped on its way; what the
   * last one got is what counts.
   */
  readonly times?: number
  /** `tcp` and `udp`: what is sent, as text. */
  readonly send?: string
  /**
   * `hbone`: what is shown at the HBONE port, and for which CONNECT target; `port` is then that target's. Without it,
   * plaintext bytes go to the HBONE port.
   */
  readonly certificate?: ForgedCertificate
  /** `hbone`: whose identity the certificate names, as `namespace/service-account`. */
  readonly as?: string
  /** Keep the connection open after the first answer, until the far side closes it or `timeoutMs` is over. */
  readonly hold?: boolean
  /**
   * `http` with `hold`: ask again on the open connection, some ten times a second, until the answer is another. A proxy
   * keeps its clients' connections when a policy changes, and answers the next request by the new one.
   */
  readonly again?: boolean
  /** Default 5000. */
  readonly timeoutMs?: number
}

/** Where a stolen token comes from. */
export type Bearer =
  /** Of a user of the manager: somebody logs in, by the front door or as the manager's own neighbour would. */
  | { readonly login: { readonly secret: string; readonly userKey: string; readonly passwordKey: string } }
  /** Of a pod's ServiceAccount, as the API server gives it to that workload's pods. */
  | { readonly serviceAccountOf: string }
  /** What a workload would sign with the private key in that Secret, for that audience. */
  | {
      readonly assertion: {
        readonly key: { readonly secret: string; readonly key: string }
        readonly audience: string
        readonly subject: string
        readonly issuer: string
      }
    }

/** The same, with everything resolved that the pod itself cannot know: what the probe program reads on stdin. */
export interface ResolvedAttempt extends Attempt {
  /** Host name or address to dial; for `socket` the path. */
  readonly host: string
  /** For `certificate: expired` and `stolen`: PEM, as a thief would have it. */
  readonly material?: { readonly certificate: string; readonly key?: string }
  /** For `tls`: PEM of the only ones that may have signed the server's certificate. Default: those that Node trusts. */
  readonly authorities?: string
  /** What `postgres.passwordFrom` or `mongo.passwordFrom` names. */
  readonly password?: string
  /** What `bearer` stands for. */
  readonly token?: string
  /** For forged certificates: the SPIFFE identity they claim. */
  readonly claim?: string
  /**
   * From how many milliseconds after it opened a connection that closes without a byte was given up by the mesh
   * (`late-reset`) rather than refused (`reset`). A little under the mesh's connect timeout; default 900.
   */
  readonly lateResetMs?: number
  /** `hbone`: the port that is dialled. Default 15008. */
  readonly hbonePort?: number
}

/** What the client saw. */
export interface Observation {
  readonly symptom: Symptom
  /** How far it came. */
  readonly phase: 'dns' | 'connect' | 'tls' | 'request' | 'answer' | 'held'
  /** Milliseconds since the start at which each phase ended. */
  readonly timings: Readonly<Partial<Record<'dns' | 'connect' | 'tls' | 'firstByte' | 'end', number>>>
  /** Bytes of the application's answer that arrived. */
  readonly bytes: number
  readonly http?: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  /** The operating system's or the protocol's own word: ECONNRESET, a TLS alert, REFUSED ... */
  readonly error?: { readonly code: string; readonly message: string }
  /** Protocol detail: the Postgres reply's type, the Mongo hello's fields, the addresses that DNS gave. */
  readonly detail?: Readonly<Record<string, unknown>>
}

/** An observation, and what the target's own records say of the connections behind it. */
export interface Evidence {
  readonly observation: Observation
  /** The local mesh's records: of each connection, with every layer's word on it. Empty on a cluster. */
  readonly flows: readonly FlowRecord[]
  /** A cluster's: what its enforcing points said of it themselves, in order of time. Absent on the local target. */
  readonly sightings?: readonly Sighting[]
  /** Whose records could not be read. */
  readonly unread?: readonly Witness[]
  /** What whoever reads the result has to know, a sentence each: that it was tried again and why, which log could not be read. */
  readonly notes?: readonly string[]
}

/**
 * What `Target.attempt` rejects with when this target has no way to make such an attempt, whatever stands: an Error with this
 * code, whose message says why. Nothing is known of it then, and the report says so.
 */
export interface NotMakeableError extends Error {
  readonly code: 'not-makeable'
}

/** Whose log, or answer, a sighting is from. */
export type Witness = 'hubble' | 'ztunnel' | 'waypoint' | 'gateway' | 'kyverno' | 'api-server'

/**
 * What an enforcing point of a cluster said of a connection, a request or an object in its own words, and as much of it as the
 * words hold. A default deny names no policy; an allow of Cilium's names none either.
 */
export interface Sighting {
  readonly by: Witness
  /** RFC 3339, UTC. */
  readonly at: string
  readonly outcome: Outcome
  /** `namespace/workload`, identity and address, as far as the line has them. */
  readonly source: { readonly workload?: string; readonly identity?: string; readonly ip?: string }
  readonly destination: {
    readonly workload?: string
    readonly service?: string
    readonly host?: string
    readonly ip?: string
    readonly port?: number
  }
  /** The reason code (docs/reasons.md) that these words stand for, where they stand for one. */
  readonly code?: string
  /** `Kind/namespace/name`, where the words name one. */
  readonly policy?: string
  readonly http?: { readonly method: string; readonly path: string; readonly status?: number }
  /** The line, or the answer, whole. */
  readonly line: string
}

/** A change of what is in force, for as long as it stands: objects added or replaced, and objects taken out. */
export interface Change {
  /** Manifest text (YAML, several documents). */
  readonly objects?: string
  /** Where that text came from, for positions. */
  readonly file?: string
  /**
   * Ids of objects taken out: `Kind/namespace/name` is those of every API group; with the group after the kind, as
   * kubectl writes it, it is that one alone: `Gateway.networking.istio.io/shop/front`. Kubernetes' first kinds (`v1`)
   * have an empty group: `Service./shop/web-api`.
   */
  readonly without?: readonly string[]
}

export interface LayerState {
  readonly name: string
  readonly on: boolean
  readonly objects: number
  /** On a cluster: ids of its objects that are not there; with some of them, and not all, it is half a wall, and not on. */
  readonly missing?: readonly string[]
  /** On a cluster: ids of its objects that are not as their files say. */
  readonly drifted?: readonly string[]
}

/**
 * What admission says of one object that a change adds or replaces: as much of an Admission as another process can be told.
 */
export interface Admitted extends Pick<Admission, 'outcome' | 'decidedBy' | 'steps' | 'refusal' | 'warnings'> {
  readonly object: { readonly id: string }
  readonly pod?: Admitted
}

/**
 * What `Target.apply` rejects with when admission refuses an object of the change, or the pods of one that it let in: an
 * Error with this code and these fields, so that it survives the way from another process.
 */
export interface RefusedError extends Error {
  readonly code: 'refused'
  /** One for each object that was asked about, in order; at least one of them, or its pod, is not `allow`. */
  readonly admissions: readonly Admitted[]
}

/** Where scenarios run: the local target, or a cluster. */
export interface Target {
  readonly name: 'local' | 'kind'
  layers(): Promise<readonly LayerState[]>
  /** The engine on what is in force on this target now. */
  predict(flow: Flow): Promise<Verdict>
  /**
   * What admission would say of each object of the change, in order, as `apply` would ask it, with what is in force now.
   * Nothing is changed; objects that cannot be read reject.
   */
  admit(change: Change): Promise<readonly Admitted[]>
  /**
   * Makes the attempt from a pod of the workload, or from `outside` the cluster. With `attempt.hold`, `held` is called once the first answer has
   * arrived; the promise resolves when the connection has ended. An attempt that could not be made rejects.
   */
  attempt(
    from: string,
    attempt: Attempt,
    options?: {
      held?: () => Promise<void>
      signal?: AbortSignal
      /** `none`: what the client saw is all that is wanted; records, where they cost something to read, need not be. */
      records?: 'none'
    },
  ): Promise<Evidence>
  /**
   * Resolves when the change is in force and the pods that it adds are ready. An id in `without` that is not in force
   * now is no error: its layer may be off. A change that rejects has left nothing in force. One that admission refuses, or
   * whose pods it refuses, rejects with a RefusedError, as a whole, before anything is started.
   */
  apply(name: string, change: Change): Promise<void>
  withdraw(name: string): Promise<void>
}

/**
 * A wall that stops an attempt. Three are always on: `mesh` is what the mesh itself refuses (a forged certificate),
 * `network` what needs no policy to fail (nothing listens there), and `pod-security` what a namespace's labels let no pod do.
 */
export interface Wall {
  readonly layer: string
  readonly symptom: Symptom
  readonly code: string
  /** `Kind/namespace/name` (`Kind/name` of a cluster's): the object that decides, or, for a default deny, one that isolates. */
  readonly policy?: string
  /** Text in the API server's answer, where admission refuses. */
  readonly message?: string
  /** Holds only while these other layers are on, or off. */
  readonly when?: { readonly on?: readonly string[]; readonly off?: readonly string[] }
}

/** What arrives when nothing stops an attempt; each part that is given must hold. */
export interface Through {
  /** One from 300 to 399 is a redirect: the attempt gets through when that is what the client sees. */
  readonly status?: number
  /** Values of headers of the answer; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** Text in the body, or for kinds other than `http` in what `detail.text` holds. */
  readonly contains?: string
  /** Values in the JSON body, by path: `upstream_calls[0].name`. */
  readonly json?: Readonly<Record<string, string | number | boolean | null>>
  /** Paths that the JSON body must not have. */
  readonly absent?: readonly string[]
}

export interface Scenario {
  readonly id: string
  readonly title: string
  /** One sentence. */
  readonly story: string
  /** A legitimate flow must always work; an attack must be stopped by its walls, and work without them. */
  readonly kind: 'attack' | 'legitimate'
  readonly technique?: { readonly attack?: string; readonly microsoft?: string }
  readonly lab?: string
  /** The only target on which it means something; on others it is skipped, and the report says so. */
  readonly only?: Target['name']
  /** `namespace/workload`, or `outside`: a caller that is not in the cluster. */
  readonly from: string
  /** Layers that the attempt is about: with one of them off there is nothing to try, and it is skipped, with the reason. */
  readonly needs?: readonly string[]
  /** What stands while it runs. Manifest paths are relative to the folder that holds `scenarios/`. */
  readonly given?: { readonly manifests?: readonly string[]; readonly without?: readonly string[] }
  readonly attempt: Attempt
  /** For a held attempt: what changes while the connection is open. */
  readonly change?: { readonly manifests?: readonly string[]; readonly without?: readonly string[] }
  readonly expect: {
    /** Every wall that stops it, in path order. The first that is on decides; with none on it must get through. */
    readonly walls: readonly Wall[]
    /** What arrives when nothing stops it. `never`: one of the walls is always on. */
    readonly through: Through | 'never'
  }
  /** The record by which an operator would notice it on a cluster. */
  readonly notice: string
  /**
   * For a legitimate flow that also serves whoever owns its caller: what they may still do, in one sentence. Printed
   * as the remaining blast radius.
   */
  readonly remains?: string
  /**
   * The allowed caller that proves that the service was up. Needed for every attack. `status` is that of the HTTP answer that
   * proves it, where that is no success: a service that says what is wrong with a request has let it in.
   */
  readonly control?: { readonly from: string; readonly attempt: Attempt; readonly status?: number }
  /** File that it was read from, relative to the folder that holds `scenarios/`. */
  readonly file: string
}
