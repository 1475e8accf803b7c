/** Text with its control characters escaped: a manifest, or its name, must not write to somebody's terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
