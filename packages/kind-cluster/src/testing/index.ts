// For tests of whatever runs tools: tools that run nothing, and programs under the tools' names that answer from a table.

export { archiveOf, goodFetches, manifestOf } from '../bundle/testing.js'
export { ownCluster } from '../plan/testing.js'
export { goodAnswers, goodInfo, goodMachine, goodVersion } from './doctor.js'
export { inspected, noOutside, outsideRoot, outsideUp } from './outside.js'
export { type Answer, type Answers, type Matcher, type RecordingTools, recordingTools } from './recording.js'
export { type StandInAnswer, type StandIns, standIns, type WasAsked } from './stand-ins.js'
