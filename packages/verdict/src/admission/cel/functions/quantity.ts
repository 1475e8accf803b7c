import { formatQuantity, parseQuantity, type Quantity } from '../../kyverno/cluster-policy/values/quantity.js'
import { CelError } from '../errors.js'
import { define } from '../registry.js'
import { CelValue, Double, int, MAX_INT } from '../values.js'

/* Kubernetes' quantity library (apiserver/pkg/cel/library/quantity.go). */

const TYPE = 'kubernetes.Quantity'
const NANO = 1_000_000_000n

export class QuantityValue extends CelValue {
  readonly type = TYPE
  readonly value: Quantity
  constructor(value: Quantity) {
    super()
    this.value = value
  }
  override equals(other: CelValue): boolean {
    return other instanceof QuantityValue && other.value.nano === this.value.nano
  }
  compare(other: CelValue): number {
    const difference = this.value.nano - (other as QuantityValue).value.nano
    return difference < 0n ? -1 : Number(difference > 0n)
  }
  override toString(): string {
    return formatQuantity(this.value)
  }
}

const of = (value: CelValue): QuantityValue => value as QuantityValue

define('quantity', ['string'], 'opaque', ([text]) => {
  const value = parseQuantity(text)
  if (value === undefined) {
    throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
  }
  return new QuantityValue(value)
})
define('isQuantity', ['string'], 'bool', ([text]) => parseQuantity(text) !== undefined)
define('.sign', [TYPE], 'int', ([value]) =>
  BigInt(Math.sign(of(value).compare(new QuantityValue({ nano: 0n, format: 'decimal' })))),
)
define('.isGreaterThan', [TYPE, TYPE], 'bool', ([a, b]) => of(a).compare(b) > 0)
define('.isLessThan', [TYPE, TYPE], 'bool', ([a, b]) => of(a).compare(b) < 0)
define('.compareTo', [TYPE, TYPE], 'int', ([a, b]) => BigInt(of(a).compare(b)))
define('.asApproximateFloat', [TYPE], 'double', ([value]) => new Double(Number(of(value).value.nano) / 1e9))
define('.isInteger', [TYPE], 'bool', ([value]) => isInteger(of(value)))
define('.asInteger', [TYPE], 'int', ([value]) => {
  if (!isInteger(of(value))) throw new CelError('cannot convert value to integer')
  return of(value).value.nano / NANO
})

function isInteger({ value: { nano } }: QuantityValue): boolean {
  return nano % NANO === 0n && nano / NANO <= MAX_INT && nano / NANO >= -MAX_INT - 1n
}

for (const [name, sign] of [
  ['.add', 1n],
  ['.sub', -1n],
] as const) {
  define(name, [TYPE, TYPE], 'opaque', ([a, b]) => sum(of(a), of(b).value.nano * sign))
  define(name, [TYPE, 'int'], 'opaque', ([a, b]) => sum(of(a), int(b) * sign * NANO))
}

function sum({ value: { nano, format } }: QuantityValue, more: bigint): QuantityValue {
  return new QuantityValue({ nano: nano + more, format })
}
