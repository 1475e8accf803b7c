/*
 * What one client may take of a gateway. Each limit is there against somebody who takes more than a request needs; where
 * Envoy has a default, it is Envoy's.
 */

/** Of a request's line and headers together (431). Against headers that fill the memory of every hop behind. */
export const MAX_HEADER_BYTES = 60 * 1024
/** Lines of headers (431). Against many small ones, which cost more than their bytes. */
export const MAX_HEADERS = 100
/** Of the path with its query (414). Against regular expressions that are run over long paths. */
export const MAX_PATH_BYTES = 8 * 1024
/** Of what a record keeps of a path or a host. Against filling the ring of records, which keeps thousands. */
export const MAX_RECORDED = 512
/** From the first byte of a connection or request to the end of its headers (408). Against slow headers (Slowloris). */
export const HEADERS_TIMEOUT_MS = 10_000
/** From there to the end of the body (408). Against bodies that drip. */
export const REQUEST_TIMEOUT_MS = 300_000
/** An idle connection is closed after as long. Against connections that are only held. */
export const KEEP_ALIVE_MS = 60_000
/** How often connections are looked at for the three timeouts. */
export const CHECK_MS = 1_000
/** Connections of one gateway or waypoint at a time, whatever they carry; further ones are reset. Against a flood of connects. */
export const MAX_CONNECTIONS = 1_024
/** Requests of one connection that wait for the one before (pipelining). Against 2,000 requests in one packet. */
export const MAX_PIPELINED = 64
/** Of a body that nobody wants any more (its request is answered), before the connection is reset. Against endless bodies. */
export const MAX_DISCARDED_BYTES = 1024 * 1024
/** Of the headers of an answer from behind. Against an app that is not one's friend. */
export const MAX_ANSWER_HEADER_BYTES = 60 * 1024
/** How long an answer from behind may stand still (504, or cut). Against upstreams that hold everything. Envoy's stream idle timeout. */
export const STREAM_IDLE_MS = 300_000
/** An idle connection to an upstream: below the 5 s after which Node's servers close theirs, so that no request meets a closed one. */
export const UPSTREAM_IDLE_MS = 4_000
/** Then a connection to an upstream is closed at its next pause, so that a renewed certificate is used some day. */
export const UPSTREAM_LIFE_MS = 300_000
/** How long requests in flight may take when a gateway goes. */
export const DRAIN_MS = 5_000
/** How long a dropped connection of a client outside is held, as the client's own kernel would go on trying. */
export const DROPPED_MS = 130_000
