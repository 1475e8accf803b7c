/** Binary and decimal suffixes of Kubernetes' quantities, as powers. */
const SCALE: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** `500m`, `1.5`, `64Mi`: the usual part of what Kubernetes takes; no exponents, no sign. */
export const quantity = /^(\d{1,9})(\.\d{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/

/** How much that is, in cores or bytes. NaN for what is no quantity. */
export function amountOf(text: string): number {
  const [, whole, fraction = '', suffix = ''] = quantity.exec(text) ?? []
  return whole === undefined ? Number.NaN : Number(`${whole}${fraction}`) * (SCALE[suffix] ?? Number.NaN)
}
