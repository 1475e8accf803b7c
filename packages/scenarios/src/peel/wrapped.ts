/** No line of the drawing is longer. */
const widest = 110

/** Items in lines: `glue` between them, without spaces at a line's end. */
export function wrapped(items: readonly string[], glue: string, indent = ''): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const item of items) {
    const longer = line === '' ? `${indent}${item}` : `${line}${glue}${item}`
    if (line !== '' && longer.length + glue.trimEnd().length > widest) {
      lines.push(`${line}${glue.trimEnd()}`)
      line = `${indent}${item}`
    } else line = longer
  }
  return line === '' ? lines : [...lines, line]
}
