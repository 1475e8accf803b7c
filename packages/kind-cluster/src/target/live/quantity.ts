/** Where Kubernetes keeps amounts, which it writes in a form of its own: 1024Mi as 1Gi, 0.5 as 500m. */
const holdsQuantities = /(^|\.)(limits|requests|capacity|hard)\.[^.]+$|\.(sizeLimit|divisor)$/

const factors: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
}

export function sameQuantity(path: string, one: unknown, other: unknown): boolean {
  if (!holdsQuantities.test(path)) return false
  const amount = amountOf(one)
  return amount !== undefined && amount === amountOf(other)
}

function amountOf(value: unknown): number | undefined {
  const [, digits, suffix = ''] = /^([+-]?[\d.]+)([A-Za-z]*)$/.exec(String(value)) ?? []
  const factor = factors[suffix]
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}
