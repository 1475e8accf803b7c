/*
 * What one file may cost. Manifests come from anywhere (an overlay, a download, a lab's answer), and YAML lets a few
 * bytes stand for a great deal of work.
 */

/** Bytes. No manifest that people write comes near (a bundle of CustomResourceDefinitions may). Rubbish of this size is refused in 1 to 3 s. */
export const MAX_FILE_BYTES = 1024 * 1024
/** Deeper nesting than any schema has; the parser recurses, so without a bound `[[[[...` ends the process. */
export const MAX_DEPTH = 100
/** Documents in one file: `---` costs four bytes and an object. */
export const MAX_DOCUMENTS = 2_000
/** Values in one file, aliases expanded: without a bound, ten lines of aliases to aliases (the "billion laughs") fill the memory. */
export const MAX_VALUES = 500_000
