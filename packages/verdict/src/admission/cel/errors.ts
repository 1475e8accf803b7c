/** An expression that does not parse, or that names what is not there. `offset` counts from the expression's start. */
export class CelSyntaxError extends Error {
  override readonly name = 'CelSyntaxError'
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** What an expression ends with instead of a value: a key that is missing, a number that overflows, a budget that is spent. */
export class CelError extends Error {
  override readonly name = 'CelError'
}

/** Nobody knows what it comes to, and `what` says why: nothing around it may take this for an operand's error. */
export class CelUnknownError extends CelError {
  readonly what: string
  constructor(what: string, message = what) {
    super(message)
    this.what = what
  }
}

/** The budget is spent. */
export class CelBudgetError extends CelUnknownError {
  constructor(message: string) {
    super(`an evaluation of so much (${message})`, message)
  }
}

/** In cel-go's words: of an operator without its name, of a function with it. */
export function noOverload(name = ''): CelError {
  return new CelError(name === '' ? 'no such overload' : `no such overload: ${name}`)
}
