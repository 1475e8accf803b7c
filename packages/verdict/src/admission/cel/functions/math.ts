import { CelError, noOverload } from '../errors.js'
import { define } from '../registry.js'
import { compare, Double, int, isList, read, Uint } from '../values.js'

/* cel-go's ext.Math: numbers of different types are compared by value. */

function isNumber(value: unknown): boolean {
  return typeof value === 'bigint' || value instanceof Double || value instanceof Uint
}

/** Arguments, or one list of them. */
function extreme(name: string, args: readonly unknown[], wanted: 1 | -1): unknown {
  const [first] = args
  const numbers = args.length === 1 && isList(first) ? first.map(read) : args
  if (!numbers.every(isNumber)) throw noOverload(name)
  if (numbers.length === 0) throw new CelError(`${name}(list) argument must not be empty`)
  return numbers.reduce((best, one) => ((compare(one, best) ?? 0) * wanted > 0 ? one : best))
}

for (const [name, wanted] of [
  ['math.greatest', 1],
  ['math.least', -1],
] as const) {
  for (let count = 1; count <= 10; count++) {
    const params = Array.from({ length: count }, () => 'dyn' as const)
    define(name, params, 'dyn', (args) => extreme(name, args, wanted))
  }
}

define('math.abs', ['int'], 'int', ([value]) => int(value < 0n ? -value : value))
define('math.abs', ['uint'], 'uint', ([value]) => value)
define('math.abs', ['double'], 'double', ([{ value }]) => new Double(Math.abs(value)))
define('math.sign', ['int'], 'int', ([value]) => (value < 0n ? -1n : value > 0n ? 1n : 0n))
define('math.sign', ['uint'], 'uint', ([{ value }]) => new Uint(value > 0n ? 1n : 0n))
define('math.sign', ['double'], 'double', ([{ value }]) => new Double(Math.sign(value)))

const reals: Readonly<Record<string, (value: number) => number>> = {
  ceil: Math.ceil,
  floor: Math.floor,
  trunc: Math.trunc,
  // Halves go away from zero.
  round: (value) => Math.sign(value) * Math.round(Math.abs(value)),
}
for (const [name, call] of Object.entries(reals)) {
  define(`math.${name}`, ['double'], 'double', ([{ value }]) => new Double(call(value)))
}
define('math.sqrt', ['double'], 'double', ([{ value }]) => new Double(Math.sqrt(value)))
define('math.sqrt', ['int'], 'double', ([value]) => new Double(Math.sqrt(Number(value))))
define('math.sqrt', ['uint'], 'double', ([{ value }]) => new Double(Math.sqrt(Number(value))))
define('math.isNaN', ['double'], 'bool', ([{ value }]) => Number.isNaN(value))
define('math.isInf', ['double'], 'bool', ([{ value }]) => Math.abs(value) === Number.POSITIVE_INFINITY)
define('math.isFinite', ['double'], 'bool', ([{ value }]) => Number.isFinite(value))

const bits: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  bitAnd: (a, b) => a & b,
  bitOr: (a, b) => a | b,
  bitXor: (a, b) => a ^ b,
}
for (const [name, call] of Object.entries(bits)) {
  define(`math.${name}`, ['int', 'int'], 'int', ([a, b]) => call(a, b))
  define(`math.${name}`, ['uint', 'uint'], 'uint', ([a, b]) => new Uint(call(a.value, b.value)))
}
define('math.bitNot', ['int'], 'int', ([value]) => ~value)
define('math.bitNot', ['uint'], 'uint', ([{ value }]) => new Uint(BigInt.asUintN(64, ~value)))

/** Beyond 63 places nothing is left. */
function shift(name: string, by: bigint, call: (by: bigint) => bigint): bigint {
  if (by < 0n) throw new CelError(`${name}() negative offset: ${by}`)
  return by > 63n ? 0n : call(by)
}
define('math.bitShiftLeft', ['int', 'int'], 'int', ([a, by]) =>
  shift('math.bitShiftLeft', by, (places) => BigInt.asIntN(64, a << places)),
)
define(
  'math.bitShiftLeft',
  ['uint', 'int'],
  'uint',
  ([{ value }, by]) => new Uint(shift('math.bitShiftLeft', by, (places) => BigInt.asUintN(64, value << places))),
)
define('math.bitShiftRight', ['int', 'int'], 'int', ([a, by]) =>
  shift('math.bitShiftRight', by, (places) => BigInt.asIntN(64, BigInt.asUintN(64, a) >> places)),
)
define(
  'math.bitShiftRight',
  ['uint', 'int'],
  'uint',
  ([{ value }, by]) => new Uint(shift('math.bitShiftRight', by, (places) => value >> places)),
)
