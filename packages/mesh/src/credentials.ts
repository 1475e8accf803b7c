import type { CertificateAuthority, WorkloadCertificate } from './ca.js'
import type { MeshLog } from './types.js'

/** Never sooner than this, or a failing CA would be asked without end. */
const MIN_PAUSE_MS = 100
/** Timers count in 31 bits. */
const MAX_PAUSE_MS = 2 ** 31 - 1

/** A pod's certificate, renewed at half of its life as long as the pod is there. */
export class Credentials {
  readonly #ca: CertificateAuthority
  readonly #log: MeshLog | undefined
  readonly #rotated: (serial: string) => void
  #current: WorkloadCertificate
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<void> | undefined
  #closed = false

  private constructor(
    ca: CertificateAuthority,
    first: WorkloadCertificate,
    rotated: (serial: string) => void,
    log: MeshLog | undefined,
  ) {
    this.#ca = ca
    this.#current = first
    this.#rotated = rotated
    this.#log = log
    this.#schedule(ca.ttlMs / 2)
  }

  /** `rotated` is called after each renewal, with the new certificate already the current one. */
  static async obtain(
    ca: CertificateAuthority,
    identity: string,
    rotated: (serial: string) => void,
    log?: MeshLog,
  ): Promise<Credentials> {
    return new Credentials(ca, await ca.issue(identity), rotated, log)
  }

  get current(): WorkloadCertificate {
    return this.#current
  }

  /**
   * The certificate to show now. Timers stand still while a machine sleeps and certificates do not: one that is over its
   * half is renewed first.
   */
  async fresh(): Promise<WorkloadCertificate> {
    if (this.#ca.now() >= this.#current.notAfter.getTime() - this.#ca.ttlMs / 2) await this.#renew()
    return this.#current
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.#renew(), Math.min(Math.max(ms, MIN_PAUSE_MS), MAX_PAUSE_MS)).unref()
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#rotate().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #rotate(): Promise<void> {
    try {
      const next = await this.#ca.issue(this.#current.identity)
      if (this.#closed) return
      this.#current = next
      this.#rotated(next.serial)
      this.#schedule(this.#ca.ttlMs / 2)
    } catch (error) {
      // The old one still has half of its life: try again, several times within it.
      this.#log?.error({ err: error, identity: this.#current.identity }, 'the certificate could not be renewed')
      this.#schedule(this.#ca.ttlMs / 20)
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }
}
