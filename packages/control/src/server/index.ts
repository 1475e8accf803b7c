export { type RunningTarget, startTarget, type TargetOptions } from './target.js'
