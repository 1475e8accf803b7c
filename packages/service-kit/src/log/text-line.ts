const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
}

/** Turns one line of pino's JSON into one for people: `time LEVEL message key=value ...`; a stack follows on lines of its own. */
export function textLine(json: string): string {
  const { level, time, msg, service: _service, pid: _pid, ...rest } = JSON.parse(json) as Record<string, unknown>
  let line = `${String(time)} ${LEVELS[Number(level)] ?? String(level)} ${msg === undefined ? '' : oneLine(String(msg))}`
  let stack = ''
  for (const [key, value] of Object.entries(rest)) {
    if (key === 'err' && typeof value === 'object' && value !== null) {
      const { stack: trace, message } = value as { stack?: unknown; message?: unknown }
      line += ` err=${JSON.stringify(String(message))}`
      if (typeof trace === 'string') stack = `\n${trace.replace(/^/gm, '    ')}`
    } else {
      line += ` ${key}=${textValue(value)}`
    }
  }
  return `${visible(line)}${visible(stack)}\n`
}

/** What a terminal would obey, written out: a stack has its error's message as it came, and JSON leaves U+007F to U+009F alone. */
const visible = (text: string): string =>
  text.replace(/(?!\n)\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** A value as itself when it cannot be misread, else as JSON: nothing that a caller sent can begin a line of its own. */
export function textValue(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:;?&@%+,*[\]~-]+$/.test(value)) return value
  return JSON.stringify(value) ?? 'undefined'
}

// JSON escapes a line's end: a message that stays as it is between the quotes holds none.
function oneLine(message: string): string {
  const quoted = JSON.stringify(message)
  return quoted.length === message.length + 2 ? message : quoted
}
