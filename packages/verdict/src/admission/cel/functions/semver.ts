import { compareVersions, parseVersion } from '../../kyverno/cluster-policy/values/semver.js'
import { CelError } from '../errors.js'
import { define } from '../registry.js'
import { CelValue } from '../values.js'

/* Kubernetes' semver library (apiserver/pkg/cel/library/semver.go). */

const TYPE = 'kubernetes.Semver'
type Version = NonNullable<ReturnType<typeof parseVersion>>

export class SemverValue extends CelValue {
  readonly type = TYPE
  readonly version: Version
  constructor(text: string) {
    super()
    const version = /(^|[.])0\d/.test(text.split(/[-+]/)[0] ?? '') ? undefined : parseVersion(text)
    if (version === undefined)
      throw new CelError(`Semver parse error: ${JSON.stringify(text.slice(0, 60))} is no version`)
    this.version = version
  }
  override equals(other: CelValue): boolean {
    return other instanceof SemverValue && compareVersions(this.version, other.version) === 0
  }
  compare(other: CelValue): number {
    return compareVersions(this.version, (other as SemverValue).version)
  }
}

/** `v1.2` as `1.2.0`. */
function normal(text: string): string {
  const [, numbers = '', rest = ''] = /^v?(\d+(?:\.\d+){0,2})(.*)$/.exec(text) ?? []
  if (numbers === '') return text
  const parts = [...numbers.split('.'), '0', '0'].slice(0, 3)
  return `${parts.map((part) => part.replace(/^0+(?=\d)/, '')).join('.')}${rest}`
}

function is(text: string): boolean {
  try {
    return new SemverValue(text).type === TYPE
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}

const of = (value: CelValue): SemverValue => value as SemverValue

define('semver', ['string'], 'opaque', ([text]) => new SemverValue(text))
define('semver', ['string', 'bool'], 'opaque', ([text, loose]) => new SemverValue(loose ? normal(text) : text))
define('isSemver', ['string'], 'bool', ([text]) => is(text))
define('isSemver', ['string', 'bool'], 'bool', ([text, loose]) => is(loose ? normal(text) : text))
define('.isGreaterThan', [TYPE, TYPE], 'bool', ([a, b]) => of(a).compare(b) > 0)
define('.isLessThan', [TYPE, TYPE], 'bool', ([a, b]) => of(a).compare(b) < 0)
define('.compareTo', [TYPE, TYPE], 'int', ([a, b]) => BigInt(of(a).compare(b)))
for (const [name, index] of [
  ['.major', 0],
  ['.minor', 1],
  ['.patch', 2],
] as const) {
  define(name, [TYPE], 'int', ([value]) => of(value).version.numbers[index])
}
