import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { type ApiError, errorOf } from '../api/failure.js'
import type { Page } from '../api/types.js'

export interface Loaded<T> {
  /** What was read last; it stays while it is read again. */
  readonly data: T | undefined
  readonly error: ApiError | undefined
  readonly loading: boolean
  readonly reload: () => void
}

/** Reads, and again whenever one of `on` is another one; what is no longer wanted is given up. */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>, on: readonly unknown[]): Loaded<T> {
  const [round, setRound] = useState(0)
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({ data: undefined, error: undefined, loading: true })
  const current = useRef(read)
  current.current = read
  useEffect(() => {
    const given = new AbortController()
    setState((before) => ({ ...before, loading: true }))
    current.current(given.signal).then(
      (data) => {
        if (!given.signal.aborted) setState({ data, error: undefined, loading: false })
      },
      (thrown: unknown) => {
        if (!given.signal.aborted) setState((before) => ({ ...before, error: errorOf(thrown), loading: false }))
      },
    )
    return () => given.abort()
  }, [round, ...on])
  const reload = useCallback(() => setRound((before) => before + 1), [])
  return { ...state, reload }
}

export interface Pages<T> extends Loaded<Page<T>> {
  readonly number: number
  /** Undefined: there is none. */
  readonly earlier: (() => void) | undefined
  readonly later: (() => void) | undefined
}

/** A list by pages. It begins at its first page again whenever one of `on` is another one. */
export function usePages<T>(
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
  on: readonly unknown[],
): Pages<T> {
  const key = JSON.stringify(on)
  const [place, setPlace] = useState<{ readonly key: string; readonly cursors: readonly string[] }>({
    key,
    cursors: [],
  })
  const cursors = place.key === key ? place.cursors : []
  const cursor = cursors.at(-1)
  const loaded = useLoad((signal) => read(cursor, signal), [key, cursor])
  const next = loaded.data?.next
  return {
    ...loaded,
    number: cursors.length + 1,
    earlier: cursors.length === 0 ? undefined : () => setPlace({ key, cursors: cursors.slice(0, -1) }),
    later: next === undefined ? undefined : () => setPlace({ key, cursors: [...cursors, next] }),
  }
}

export interface Doing {
  readonly busy: boolean
  readonly error: ApiError | undefined
  /** Does it, unless it is being done already. */
  readonly run: (act: () => Promise<void>) => Promise<void>
  readonly clear: () => void
}

/** Something that a person sets off: once at a time, and its failure is kept to be shown. */
export function useDoing(): Doing {
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: ApiError | undefined }>({
    busy: false,
    error: undefined,
  })
  const under = useRef(false)
  const alive = useRef(true)
  useEffect(() => {
    alive.current = true
    return () => {
      alive.current = false
    }
  }, [])
  const run = useCallback(async (act: () => Promise<void>) => {
    if (under.current) return
    under.current = true
    setState({ busy: true, error: undefined })
    let error: ApiError | undefined
    try {
      await act()
    } catch (thrown) {
      error = errorOf(thrown)
    }
    under.current = false
    if (alive.current) setState({ busy: false, error })
  }, [])
  const clear = useCallback(() => setState({ busy: false, error: undefined }), [])
  return { ...state, run, clear }
}

/** Calls again and again while it is on, a while after the last call has ended. */
export function useEvery(ms: number, on: boolean, call: () => void, ended: unknown): void {
  const current = useRef(call)
  current.current = call
  useEffect(() => {
    if (!on) return
    const timer = setTimeout(() => current.current(), ms)
    return () => clearTimeout(timer)
  }, [ms, on, ended])
}
