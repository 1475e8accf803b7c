import fc from 'fast-check'

/** Texts that mean something to somebody: to MongoDB, to JavaScript, to HTML, to a path, to a terminal, to an expression. */
export const loaded = fc.constantFrom(
  '$where',
  '{"$ne":""}',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '<script>alert(1)</script>',
  "'; DROP TABLE x; --",
  '\u0000',
  '\u001b[2J',
  '\ud800',
  '‮',
  '😀'.repeat(40),
  'ﬀ',
  ' ',
  '\n',
  '%00',
  '(a+)+$',
  '(((((((((',
  '[[:alpha:',
  '\\',
  'x'.repeat(10_000),
  'NaN',
  '1e999',
)
/** Any value of JSON, those first that have broken something somewhere. */
export const odd = fc.oneof(
  loaded,
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.constantFrom(-1, 0, 2 ** 31, 2 ** 53, 1e308, true, null, '', [], {}),
  fc.dictionary(
    fc.constantFrom('$gt', '$ne', '$where', '$regex', '__proto__', 'key', 'length'),
    fc.oneof(loaded, fc.integer()),
  ),
  fc.array(fc.oneof(loaded, fc.integer(), fc.record({ key: loaded, value: loaded })), { maxLength: 40 }),
  fc.jsonValue({ maxDepth: 3 }),
)
