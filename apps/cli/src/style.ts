import type { Io } from './io.js'

/** Says a text in a colour, or leaves it as it is where colour is not wanted. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
}

export function styleOf(io: Pick<Io, 'colour'>): Style {
  const paint = (open: number, close: number) => (text: string) =>
    io.colour ? `\u001b[${open}m${text}\u001b[${close}m` : text
  return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), green: paint(32, 39), yellow: paint(33, 39) }
}
