import { Double, Int32, Long, ObjectId } from 'mongodb'

/*
 * Every expression that is answered, with MongoDB's documented result and its type, and the errors that MongoDB tells. All
 * others are refused.
 */

const id = new ObjectId('650000000000000000000001')
const at = new Date('2024-02-29T13:05:09.078Z')
const big = Long.fromString('9007199254740993')
const most = Long.fromString('9223372036854775807')
const int = (value: number) => new Int32(value)
const double = (value: number) => new Double(value)
const long = (value: number) => Long.fromNumber(value)

export const subject = {
  _id: 1,
  i: 7,
  l: big,
  max: most,
  d: double(2.5),
  whole: double(4),
  s: 'Grüße, Ada',
  n: null,
  yes: true,
  at,
  id,
  list: [3, 1, 2],
  pairs: [
    { k: 'a', v: 1 },
    { k: 'b', v: 'x' },
  ],
  items: [{ price: 10, n: 2 }, { price: 5 }, 'odd', [{ price: 7 }]],
  o: { x: 1, y: { z: 2 } },
}

/** Biome takes a literal `then` for a promise's. */
const THEN = 'then'

/** By operator; `undefined`: there is no value. Results with their types. */
export const results: Readonly<Record<string, readonly (readonly [expression: unknown, result: unknown])[]>> = {
  $literal: [[{ $literal: '$i' }, '$i']],
  $eq: [
    [{ $eq: ['$i', double(7)] }, true],
    [{ $eq: ['$zz', null] }, false],
  ],
  $ne: [[{ $ne: ['$i', 7] }, false]],
  $gt: [[{ $gt: ['$l', 9007199254740992] }, true]],
  $gte: [[{ $gte: ['$i', 7] }, true]],
  $lt: [
    [{ $lt: ['$i', 'text'] }, true],
    [{ $lt: ['$zz', null] }, true],
  ],
  $lte: [[{ $lte: ['$i', 6] }, false]],
  $cmp: [[{ $cmp: ['$list', [3, 1]] }, int(1)]],
  $and: [
    [{ $and: [] }, true],
    [{ $and: ['$i', '$s'] }, true],
    // What comes after a false one is not looked at.
    [{ $and: [{ $eq: ['$i', 0] }, { $divide: ['$i', { $subtract: ['$i', 7] }] }] }, false],
  ],
  $or: [
    [{ $or: [] }, false],
    [{ $or: ['$n', '$zz', 0] }, false],
    [{ $or: ['$yes', { $divide: ['$i', { $subtract: ['$i', 7] }] }] }, true],
  ],
  $not: [
    [{ $not: ['$n'] }, true],
    [{ $not: '$s' }, false],
  ],
  $cond: [
    [{ $cond: ['$yes', 'a', 'b'] }, 'a'],
    [{ $cond: { if: '$n', [THEN]: { $divide: ['$i', { $subtract: ['$i', 7] }] }, else: '$i' } }, int(7)],
  ],
  $ifNull: [
    [{ $ifNull: ['$n', '$zz', '$l'] }, big],
    [{ $ifNull: ['$n', '$zz'] }, undefined],
  ],
  $switch: [
    [
      {
        $switch: {
          branches: [
            { case: { $gt: ['$i', 9] }, [THEN]: 'many' },
            { case: '$yes', [THEN]: 'some' },
          ],
        },
      },
      'some',
    ],
    [{ $switch: { branches: [{ case: '$n', [THEN]: 1 }], default: '$d' } }, double(2.5)],
  ],
  $add: [
    [{ $add: ['$i', 1] }, int(8)],
    [{ $add: [2147483647, '$i'] }, long(2147483654)],
    [{ $add: ['$l', 1] }, Long.fromString('9007199254740994')],
    [{ $add: ['$max', 1] }, double(2 ** 63)],
    [{ $add: ['$i', '$whole'] }, double(11)],
    [{ $add: ['$i', '$zz'] }, null],
    [{ $add: ['$at', 1000] }, new Date(at.getTime() + 1000)],
  ],
  $subtract: [
    [{ $subtract: ['$i', 9] }, int(-2)],
    [{ $subtract: ['$at', new Date(at.getTime() - 5)] }, long(5)],
    [{ $subtract: ['$at', 5] }, new Date(at.getTime() - 5)],
    [{ $subtract: ['$n', 5] }, null],
  ],
  $multiply: [
    [{ $multiply: ['$i', '$d'] }, double(17.5)],
    [{ $multiply: ['$i', 1000000000] }, long(7000000000)],
    [{ $multiply: ['$i', null] }, null],
  ],
  $divide: [
    [{ $divide: ['$i', 7] }, double(1)],
    [{ $divide: [1, 4] }, double(0.25)],
    [{ $divide: ['$n', 0] }, null],
  ],
  $mod: [
    [{ $mod: ['$i', 4] }, int(3)],
    [{ $mod: [-7, 4] }, int(-3)],
    [{ $mod: ['$d', 2] }, double(0.5)],
    [{ $mod: ['$l', 10] }, long(3)],
    [{ $mod: ['$i', '$zz'] }, null],
  ],
  $abs: [
    [{ $abs: -3 }, int(3)],
    [{ $abs: '$d' }, double(2.5)],
    [{ $abs: '$n' }, null],
  ],
  $ceil: [
    [{ $ceil: '$d' }, double(3)],
    [{ $ceil: '$i' }, int(7)],
  ],
  $floor: [
    [{ $floor: '$d' }, double(2)],
    [{ $floor: '$l' }, big],
  ],
  $sum: [
    [{ $sum: '$list' }, int(6)],
    [{ $sum: '$items.price' }, int(15)],
    [{ $sum: ['$i', '$s', '$d'] }, double(9.5)],
    [{ $sum: '$s' }, int(0)],
  ],
  $avg: [
    [{ $avg: '$list' }, double(2)],
    [{ $avg: '$zz' }, null],
  ],
  $min: [
    [{ $min: '$list' }, int(1)],
    [{ $min: ['$n', '$i', '$d'] }, double(2.5)],
  ],
  $max: [
    [{ $max: '$list' }, int(3)],
    [{ $max: ['$zz'] }, null],
  ],
  $concat: [
    [{ $concat: ['$s', '!'] }, 'Grüße, Ada!'],
    [{ $concat: ['$s', '$zz'] }, null],
  ],
  $toUpper: [
    [{ $toUpper: 'ada x' }, 'ADA X'],
    [{ $toUpper: '$n' }, ''],
  ],
  $toLower: [[{ $toLower: 'ADA x' }, 'ada x']],
  $strLenCP: [
    [{ $strLenCP: '$s' }, int(10)],
    [{ $strLenCP: '😀' }, int(1)],
  ],
  $strLenBytes: [[{ $strLenBytes: '$s' }, int(12)]],
  $substrCP: [
    [{ $substrCP: ['$s', 2, 3] }, 'üße'],
    [{ $substrCP: ['$n', 0, 3] }, ''],
    [{ $substrCP: ['ab', 5, 1] }, ''],
  ],
  $split: [
    [{ $split: ['$s', ', '] }, ['Grüße', 'Ada']],
    [{ $split: ['-a--b', '-'] }, ['', 'a', '', 'b']],
    [{ $split: ['$n', '-'] }, null],
  ],
  $map: [
    [{ $map: { input: '$list', as: 'x', in: { $multiply: ['$$x', '$i'] } } }, [int(21), int(7), int(14)]],
    [{ $map: { input: '$list', in: '$$this' } }, [int(3), int(1), int(2)]],
    [{ $map: { input: '$items', in: '$$this.n' } }, [int(2), null, null, []]],
    [{ $map: { input: '$n', in: '$$this' } }, null],
  ],
  $filter: [
    [{ $filter: { input: '$list', as: 'x', cond: { $gte: ['$$x', 2] } } }, [int(3), int(2)]],
    [{ $filter: { input: '$zz', cond: true } }, null],
  ],
  $reduce: [
    [{ $reduce: { input: '$list', initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, int(6)],
    [{ $reduce: { input: '$n', initialValue: 0, in: '$$this' } }, null],
  ],
  $let: [[{ $let: { vars: { a: '$i', b: 2 }, in: { $add: ['$$a', '$$b'] } } }, int(9)]],
  $range: [
    [{ $range: [0, 3] }, [int(0), int(1), int(2)]],
    [{ $range: [5, 0, -2] }, [int(5), int(3), int(1)]],
    [{ $range: [3, 0] }, []],
  ],
  $slice: [
    [{ $slice: ['$list', 2] }, [int(3), int(1)]],
    [{ $slice: ['$list', -2] }, [int(1), int(2)]],
    [{ $slice: ['$list', 1, 5] }, [int(1), int(2)]],
    [{ $slice: ['$list', -2, 1] }, [int(1)]],
    [{ $slice: ['$n', 1] }, null],
  ],
  $size: [[{ $size: '$list' }, int(3)]],
  $isArray: [
    [{ $isArray: ['$list'] }, true],
    [{ $isArray: '$s' }, false],
  ],
  $first: [
    [{ $first: '$list' }, int(3)],
    [{ $first: { $literal: [] } }, undefined],
    [{ $first: '$n' }, null],
  ],
  $last: [[{ $last: '$list' }, int(2)]],
  $arrayElemAt: [
    [{ $arrayElemAt: ['$list', 1] }, int(1)],
    [{ $arrayElemAt: ['$list', -1] }, int(2)],
    [{ $arrayElemAt: ['$list', 9] }, undefined],
    [{ $arrayElemAt: ['$n', 0] }, null],
  ],
  $concatArrays: [
    [{ $concatArrays: ['$list', ['a']] }, [int(3), int(1), int(2), 'a']],
    [{ $concatArrays: ['$list', '$zz'] }, null],
  ],
  $reverseArray: [
    [{ $reverseArray: '$list' }, [int(2), int(1), int(3)]],
    [{ $reverseArray: { $literal: [[1, 2], 3] } }, [int(3), [int(1), int(2)]]],
    [{ $reverseArray: '$n' }, null],
  ],
  $in: [
    [{ $in: ['$i', [double(7)]] }, true],
    [{ $in: ['z', '$list'] }, false],
  ],
  $mergeObjects: [
    [{ $mergeObjects: ['$o', '$n', { x: 'new', w: 3 }] }, { x: 'new', y: { z: int(2) }, w: int(3) }],
    [{ $mergeObjects: ['$n', '$zz'] }, {}],
  ],
  $objectToArray: [
    [
      { $objectToArray: '$o' },
      [
        { k: 'x', v: int(1) },
        { k: 'y', v: { z: int(2) } },
      ],
    ],
    [{ $objectToArray: '$n' }, null],
  ],
  $arrayToObject: [
    [{ $arrayToObject: '$pairs' }, { a: int(1), b: 'x' }],
    [
      {
        $arrayToObject: {
          $literal: [
            ['a', 1],
            ['a', 2],
          ],
        },
      },
      { a: int(2) },
    ],
    [{ $arrayToObject: '$zz' }, null],
  ],
  $type: [
    [{ $type: '$l' }, 'long'],
    [{ $type: '$zz' }, 'missing'],
    [{ $type: '$whole' }, 'double'],
  ],
  $isNumber: [
    [{ $isNumber: '$d' }, true],
    [{ $isNumber: '$s' }, false],
  ],
  $toInt: [
    [{ $toInt: '5' }, int(5)],
    [{ $toInt: '-5' }, int(-5)],
    [{ $toInt: '$d' }, int(2)],
    [{ $toInt: '$yes' }, int(1)],
    [{ $toInt: '$zz' }, null],
  ],
  $toLong: [
    [{ $toLong: '5' }, long(5)],
    [{ $toLong: '$at' }, long(at.getTime())],
  ],
  $toDouble: [
    [{ $toDouble: '2.5e1' }, double(25)],
    [{ $toDouble: '$i' }, double(7)],
  ],
  $toString: [
    [{ $toString: '$i' }, '7'],
    [{ $toString: '$l' }, '9007199254740993'],
    [{ $toString: '$id' }, '650000000000000000000001'],
    [{ $toString: '$yes' }, 'true'],
    [{ $toString: '$at' }, '2024-02-29T13:05:09.078Z'],
    [{ $toString: '$n' }, null],
  ],
  $toObjectId: [[{ $toObjectId: '650000000000000000000001' }, id]],
  $toDate: [
    [{ $toDate: '$id' }, id.getTimestamp()],
    [{ $toDate: long(5) }, new Date(5)],
  ],
  $toBool: [
    [{ $toBool: 0 }, false],
    [{ $toBool: 'false' }, true],
    [{ $toBool: '$n' }, null],
  ],
  $year: [
    [{ $year: '$at' }, int(2024)],
    [{ $year: '$n' }, null],
  ],
  $month: [[{ $month: '$at' }, int(2)]],
  $dayOfMonth: [[{ $dayOfMonth: '$at' }, int(29)]],
  $dayOfWeek: [[{ $dayOfWeek: '$at' }, int(5)]],
  $hour: [[{ $hour: '$at' }, int(13)]],
  $minute: [[{ $minute: '$at' }, int(5)]],
  $second: [[{ $second: '$at' }, int(9)]],
  $millisecond: [[{ $millisecond: '$at' }, int(78)]],
  $dateToString: [
    [{ $dateToString: { date: '$at' } }, '2024-02-29T13:05:09.078Z'],
    [{ $dateToString: { date: '$at', format: '%d.%m.%Y %H:%M:%S.%L 100%%' } }, '29.02.2024 13:05:09.078 100%'],
    [{ $dateToString: { date: '$n', onNull: '-' } }, '-'],
    [{ $dateToString: { date: '$zz' } }, null],
  ],
  'no operator': [
    ['$o.y.z', int(2)],
    ['$items.price', [int(10), int(5)]],
    ['$$ROOT.i', int(7)],
    ['$$REMOVE', undefined],
    [
      ['$i', '$zz'],
      [int(7), null],
    ],
  ],
}
