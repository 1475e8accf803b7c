export { type CaptureOptions, createCapture } from './capture.js'
export { withGrant } from './env.js'
