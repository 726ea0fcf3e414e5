// Messages of the socket in version 2, and what the server puts into a page: see docs/protocol.md.

/**
 * Who said a line.
 *
 * @typedef {object} Spoken
 * @property {string} speaker_id empty for nobody in particular
 * @property {string} speaker_name
 * @property {number | null} score
 * @property {boolean} enrolled
 * @property {number | null} [number] of somebody unknown: "Speaker 1" in the reader's language
 */

/**
 * Somebody else who speaks during a line, without words of their own.
 *
 * @typedef {object} Overlap
 * @property {string} speaker_id
 * @property {string} speaker_name
 * @property {number | null} number as of `Spoken`
 * @property {number} start_ms
 * @property {number} end_ms
 */

/**
 * A piece of a line that is written otherwise than it was heard.
 *
 * @typedef {object} Change
 * @property {number} begin
 * @property {number} stop
 * @property {string} heard
 * @property {boolean} by_rule
 */

/**
 * @typedef {object} Line
 * @property {number} id
 * @property {number} seq 0 for a line that a person added
 * @property {string} asr
 * @property {Spoken} spk
 * @property {number} start_ms
 * @property {number} end_ms
 * @property {boolean} edited
 * @property {Overlap[]} overlaps
 * @property {Change[]} changes
 * @property {number} [revision]
 */

/**
 * The transcript as a page is given it.
 *
 * @typedef {object} Snapshot
 * @property {number} seq
 * @property {number} revision
 * @property {string[]} speakers of the voices, in their order
 * @property {Line[]} lines
 */

/** @typedef {"sender" | "receiver"} Mode */
/** @typedef {"live" | "paused" | "draining" | "ended" | "going_away"} SessionState */

/**
 * @typedef {object} PageData
 * @property {string} key
 * @property {SessionState | ""} state
 * @property {string} until for how long the sender is waited for; empty while it is there
 * @property {string[]} rights
 * @property {boolean} [mayEnroll] whether voices may be remembered
 * @property {string} token of a share link; empty without one
 * @property {number} recordingMs
 * @property {number} notes number of the last change of its notes; 0 where there are none to be read
 * @property {boolean} [hasMinutes] whether there are minutes to be read, once they are made
 * @property {boolean} [mayTranslate] whether there is a language model, and a right to have it translate
 * @property {boolean} mayGoOn to record more, in a session that goes on with this one
 * @property {string} sessionsUrl
 * @property {Snapshot} [transcript]
 */

/**
 * @typedef {object} Hello
 * @property {"hello"} type
 * @property {Mode} mode
 * @property {number} seq
 * @property {number} revision
 * @property {number} [resume_from] senders: position in samples from which to send
 * @property {string} [resume] senders: the right to take over from this connection
 */

/**
 * @typedef {object} Revision
 * @property {"revise"} type
 * @property {number} revision
 * @property {boolean} removed
 * @property {Line} line
 */

/**
 * @typedef {object} Ack
 * @property {"ack"} type
 * @property {number} received position in samples
 * @property {number} durable position in samples before which nothing is sent again
 */

/** @typedef {{type: "flushed", position: number, seq: number}} Flushed */
/** @typedef {{type: "session", state: SessionState, until?: string}} StateChange until: paused, for how long the sender is waited for */
/** @typedef {{type: "notes", number: number}} NotesChange */
/** @typedef {{type: "translations", number: number, language: string, lines: {id: number, text: string}[]}} TranslationsMessage */
/**
 * @typedef {object} SessionEnd
 * @property {"session_end"} type
 * @property {number} seq
 * @property {number} received_s
 * @property {number} recognised_s
 * @property {number} received position in samples up to which audio is kept
 * @property {"sender" | "absence" | "person" | "limit" | "failure"} closed_by
 */

/**
 * What went wrong; with a close code if it is fatal.
 *
 * @typedef {object} Fault
 * @property {string} code
 * @property {string} message
 * @property {number | null} close
 * @property {boolean} retryable
 * @property {number | null} retry_after in seconds
 * @property {string | null} param
 */

/** @typedef {Line & {final: true, event?: undefined, error?: undefined}} FinalMessage */
/**
 * What is being said. Its tail probably follows, and may read differently in the next message.
 *
 * @typedef {{asr: string, tail?: string, final: false, start_ms: number, event?: undefined, error?: undefined}} PartialMessage
 */
/** @typedef {{final?: undefined, event: Hello | Revision | Ack | Flushed | StateChange | NotesChange | TranslationsMessage | SessionEnd, error?: undefined}} EventMessage */
/** @typedef {{final?: undefined, event?: undefined, error: Fault}} FaultMessage */
/** @typedef {FinalMessage | PartialMessage | EventMessage | FaultMessage} Message */

/**
 * Read a message.
 *
 * @param {string} text
 * @returns {Message}
 */
export function readMessage(text) {
  return JSON.parse(text);
}
