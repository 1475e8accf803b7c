/** A failure that its reader can do something about. `details` is what a tool said, shown above the sentence. */
export class Failure extends Error {
  constructor(message, details = '') {
    super(message)
    this.name = 'Failure'
    this.details = details
  }
}

/** Ends the script after a failure: the details, then one sentence. */
export function tell(error) {
  if (error instanceof Failure) {
    if (error.details) process.stderr.write(`${error.details.trimEnd()}\n\n`)
    process.stderr.write(`${fit(error.message, process.stderr.columns)}\n`)
  } else {
    process.stderr.write(`${error?.stack ? error.stack : error}\n`)
  }
  process.exit(2)
}

/** A sentence broken between words where a terminal would break it anywhere; as it is without one. */
export function fit(sentence, columns = Number.POSITIVE_INFINITY) {
  const lines = ['']
  for (const word of sentence.split(' ')) {
    const longer = `${lines.at(-1)}${lines.at(-1) === '' ? '' : ' '}${word}`
    if (longer.length <= columns) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines.join('\n')
}

/** What went wrong with a file, in words, or undefined when it is something else. */
export function fileProblem(error, what) {
  const reasons = {
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    EROFS: 'it is on a read-only file system',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
  }
  const reason = reasons[error?.code]
  return (
    reason &&
    new Failure(
      `${what} could not be written: ${reason}. Make the folder writable, or copy the repository to one that is.`,
    )
  )
}
