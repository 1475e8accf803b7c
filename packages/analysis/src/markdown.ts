/** Names of manifests may hold what Markdown reads as its own. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|]/g, (letter) => `\\${letter}`)
}
