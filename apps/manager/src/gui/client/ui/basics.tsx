import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ApiError } from '../api/failure.js'
import { tell } from '../logic/told.js'

export interface ButtonProps {
  readonly children: ComponentChildren
  readonly onClick?: () => void
  readonly kind?: 'main' | 'quiet' | 'danger'
  readonly type?: 'button' | 'submit'
  /** It is being done: pressed again, nothing happens. Stays where the focus can be. */
  readonly busy?: boolean
  readonly disabled?: boolean
  /** Says more than its text, where that alone would be one of many: "Delete the strategy ...". */
  readonly label?: string
}

export function Button({
  children,
  onClick,
  kind = 'quiet',
  type = 'button',
  busy = false,
  disabled = false,
  label,
}: ButtonProps) {
  return (
    <button
      type={type}
      class={`button ${kind}`}
      aria-disabled={busy || disabled}
      aria-label={label}
      onClick={(event) => {
        if (busy || disabled) event.preventDefault()
        else onClick?.()
      }}
    >
      {children}
      {busy ? <span class="busy" aria-hidden="true" /> : null}
    </button>
  )
}

/** The heading of a screen; it has the focus when one comes to the screen, so that it is read out, and Tab goes on from it. */
export function Heading({
  children,
  actions,
}: {
  readonly children: ComponentChildren
  readonly actions?: ComponentChildren
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <div class="heading">
      <h1 tabIndex={-1} ref={heading}>
        {children}
      </h1>
      {actions === undefined ? null : <div class="actions">{actions}</div>}
    </div>
  )
}

/** What went wrong, and what to do about it. */
export function Failure({
  error,
  retry,
  children,
}: {
  readonly error: ApiError | undefined
  readonly retry?: (() => void) | undefined
  readonly children?: ComponentChildren
}) {
  if (error === undefined) return null
  const { title, advice, requestId, retryAfterS } = tell(error)
  return (
    <div class="box bad" role="alert">
      <p>
        <strong>{title}</strong> {advice}
      </p>
      {retryAfterS === undefined ? null : <Countdown key={requestId ?? ''} seconds={retryAfterS} />}
      {requestId === undefined || requestId === '' ? null : <p class="small">Request {requestId}</p>}
      {children}
      {retry === undefined ? null : (
        <p>
          <Button onClick={retry}>Try again</Button>
        </p>
      )}
    </div>
  )
}

/** How long until the next try is taken. Not read out each second: its first words are, with the failure. */
function Countdown({ seconds }: { readonly seconds: number }) {
  const [left, setLeft] = useState(seconds)
  useEffect(() => {
    if (left <= 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1_000)
    return () => clearTimeout(timer)
  }, [left])
  return <p aria-live="off">{left <= 0 ? 'You can try again now.' : `Try again in ${left} s.`}</p>
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="loading" role="status">
      <span class="busy" aria-hidden="true" /> Reading {what} …
    </p>
  )
}

/** There is nothing yet; what to do so that there is. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children}
    </div>
  )
}

export function Pill({
  kind,
  children,
}: {
  readonly kind: 'good' | 'fair' | 'bad' | 'plain'
  readonly children: ComponentChildren
}) {
  return <span class={`pill ${kind}`}>{children}</span>
}

/** Where the focus goes when what had it is gone; once a dialog that closes has given it back. */
export function focusHeading(): void {
  setTimeout(() => document.querySelector<HTMLElement>('main h1')?.focus())
}
