import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

/** What ties a field to its label, its hint and its problem. */
export interface Tied {
  readonly id: string
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': boolean | undefined
}

export interface FieldProps {
  readonly label: string
  readonly hint?: ComponentChildren
  readonly problem?: string | undefined
  readonly children: (tied: Tied) => ComponentChildren
}

export function Field({ label, hint, problem, children }: FieldProps) {
  const id = useId()
  const described = [...(hint === undefined ? [] : [`${id}-hint`]), ...(problem === undefined ? [] : [`${id}-problem`])]
  return (
    <div class={problem === undefined ? 'field' : 'field wrong'}>
      <label for={id}>{label}</label>
      {children({
        id,
        'aria-describedby': described.length === 0 ? undefined : described.join(' '),
        'aria-invalid': problem === undefined ? undefined : true,
      })}
      {hint === undefined ? null : (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem === undefined ? null : (
        <p class="problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  )
}

export interface TextFieldProps extends Omit<FieldProps, 'children'> {
  readonly value: string
  readonly onValue: (value: string) => void
  readonly type?: 'text' | 'password' | 'datetime-local'
  readonly autocomplete?: string
  readonly inputMode?: 'numeric' | 'text'
  readonly maxLength?: number
  readonly required?: boolean
  readonly mono?: boolean
  readonly placeholder?: string
}

const types = {
  text: { type: 'text' },
  password: { type: 'password' },
  'datetime-local': { type: 'datetime-local' },
} as const

export function TextField({
  label,
  hint,
  problem,
  value,
  onValue,
  type = 'text',
  mono = false,
  maxLength,
  ...rest
}: TextFieldProps) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(tied) => (
        <input
          {...tied}
          {...rest}
          {...(maxLength === undefined ? {} : { maxLength })}
          class={mono ? 'mono' : undefined}
          {...types[type]}
          value={value}
          spellcheck={false}
          autocapitalize="off"
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

export interface SelectFieldProps extends Omit<FieldProps, 'children'> {
  readonly value: string
  readonly onValue: (value: string) => void
  readonly options: readonly (readonly [value: string, words: string])[]
}

export function SelectField({ label, hint, problem, value, onValue, options }: SelectFieldProps) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(tied) => (
        <select {...tied} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
          {options.map(([each, words]) => (
            <option key={each} value={each} selected={each === value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

export function CheckField({
  label,
  checked,
  onChecked,
  hint,
}: {
  readonly label: ComponentChildren
  readonly checked: boolean
  readonly onChecked: (checked: boolean) => void
  readonly hint?: string
}) {
  const id = useId()
  return (
    <div class="check">
      <input
        type="checkbox"
        id={id}
        checked={checked}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChecked(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint === undefined ? null : (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  )
}

export interface FormProps {
  readonly onSubmit: () => void
  readonly children: ComponentChildren
  /** Whenever it is another one, the first field that is wrong has the focus. */
  readonly problems?: unknown
  readonly label?: string
}

/** Checked by the service, which knows the rules: the browser's own bubbles stay away. */
export function Form({ onSubmit, children, problems, label }: FormProps) {
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [problems])
  return (
    <form
      ref={form}
      noValidate
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit()
      }}
    >
      {children}
    </form>
  )
}
