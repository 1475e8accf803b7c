/** Something that whoever runs the server may want to read. Never holds a password or a document. */
export interface LogEvent {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

export type Log = (event: LogEvent) => void
