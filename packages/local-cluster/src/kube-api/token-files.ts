import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { BoundPod, Token, TokenRequest, Tokens } from './tokens.js'

/** A file of a pod's volume that holds a token. */
export interface TokenFile extends TokenRequest {
  readonly file: string
}

/** As the kubelet: a token is replaced when this share of its time is over, and at the latest after a day. */
const renewAfter = 0.8
/** What could not be renewed is tried again after this. */
const retryMs = 10_000

/** The tokens in pods' volumes, which are renewed in time as long as the pod is there. */
export class TokenFiles {
  readonly #tokens: Pick<Tokens, 'issue'>
  readonly #note: (text: string) => void
  readonly #renewAfter: number

  /** @param share for tests: after which share of its time a token is replaced */
  constructor(tokens: Pick<Tokens, 'issue'>, note: (text: string) => void, share = renewAfter) {
    this.#tokens = tokens
    this.#note = note
    this.#renewAfter = share
  }

  /** Writes the files, and keeps them good until the returned function is called. */
  async keep(pod: BoundPod, files: readonly TokenFile[]): Promise<() => void> {
    const timers = new Map<string, NodeJS.Timeout>()
    let over = false
    const renew = async (wanted: TokenFile): Promise<void> => {
      const token = await this.#tokens.issue(pod, wanted)
      if (over) return
      replace(wanted.file, token.token)
      again(wanted, this.#waitFor(token))
    }
    const again = (wanted: TokenFile, ms: number): void => {
      const timer = setTimeout(() => {
        renew(wanted).catch((error: unknown) => {
          this.#note(`the token of ${pod.namespace}/${pod.name} could not be renewed: ${String(error)}`)
          if (!over) again(wanted, retryMs)
        })
      }, ms)
      timer.unref()
      timers.set(wanted.file, timer)
    }
    const stop = () => {
      over = true
      for (const timer of timers.values()) clearTimeout(timer)
    }
    try {
      await Promise.all(files.map(renew))
    } catch (error) {
      stop()
      throw error
    }
    return stop
  }

  #waitFor({ issued, expires }: Token): number {
    return (expires.getTime() - issued.getTime()) * this.#renewAfter
  }
}

/** At once for whoever reads it: the old token or the new one, and never half of one. */
function replace(file: string, text: string): void {
  const draft = join(dirname(file), `.${basename(file)}.new`)
  try {
    writeFileSync(draft, text, { mode: 0o600 })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
