/** Expressions that MongoDB 7.0 has and this server has not (MongoDB, "Expressions"). */
export const refused: ReadonlySet<string> = new Set(
  `$acos $acosh $allElementsTrue $anyElementTrue $asin $asinh $atan $atan2 $atanh $binarySize $bitAnd
  $bitNot $bitOr $bitXor $bsonSize $convert $cos $cosh $dateAdd $dateDiff $dateFromParts $dateFromString
  $dateSubtract $dateToParts $dateTrunc $dayOfYear $degreesToRadians $exp $firstN $function $getField $indexOfArray
  $indexOfBytes $indexOfCP $isoDayOfWeek $isoWeek $isoWeekYear $lastN $ln $log $log10 $ltrim $maxN $median $meta $minN
  $percentile $pow $radiansToDegrees $rand $regexFind $regexFindAll $regexMatch $replaceAll $replaceOne $round $rtrim
  $setDifference $setEquals $setField $setIntersection $setIsSubset $setUnion $sin $sinh $sortArray $sqrt $stdDevPop
  $stdDevSamp $strcasecmp $substr $substrBytes $tan $tanh $toDecimal $toHashedIndexKey $trim $trunc $tsIncrement $tsSecond
  $unsetField $week $zip`.split(/\s+/),
)

/** Accumulators of `$group` likewise. */
export const refusedAccumulators: ReadonlySet<string> = new Set(
  `$accumulator $bottom $bottomN $firstN $lastN $maxN $median $minN $percentile $stdDevPop $stdDevSamp $top $topN`.split(
    ' ',
  ),
)
