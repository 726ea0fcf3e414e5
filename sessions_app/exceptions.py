"""The errors of sessions, one tree; each class stands beside what raises it.

SessionsError
├── ProtocolError        wire/protocol: what a client is told, with a code
├── TransportError       transport/interface: why audio cannot be passed on
│   ├── SenderConflict   another sender is connected and alive
│   ├── Superseded       another sender has taken this one's place
│   ├── LogLost          the log is not what this sender left
│   ├── AudioFinished    the session's sender has said that nothing follows
│   ├── Overloaded       no worker has room for another session
│   ├── Unreachable      the place of the logs does not answer
│   └── Fenced           another worker owns the session
├── CellError            cells/directory: a change of the cells that makes no sense, or one that is not there
├── BadAddress           transport/addresses: neither a Redis's address nor one of sentinels
├── WorkersFailed        worker/worker_processes: workers ended and would end again
├── NotContinued         store/commits: the session to go on from is none for this sender
├── UploadError          uploads/tus: why a file, or a piece of one, is not taken
├── Unreadable           uploads/file_log: the file is no recording that can be read
├── Busy                 access/hashing_pool: too many passwords wait to be looked at
├── TooManyAttempts      access/passwords: whoever tries has to wait
├── BodyTooLarge         serving/body_limits: a request brings more than its address takes
├── TooManyBodies        serving/body_limits: all requests together bring more than is held
├── BadInstallation      installation: what makes every start useless
│   └── FolderInUse      the data folder has a server
├── BackupError          backups/archives: what cannot be put into an archive, or taken out of it
├── EditError            transcripts/edit_requests: why a transcript is not changed
│   ├── BadEdit          the request makes no sense
│   ├── Conflict         somebody else has forestalled it
│   └── NotPossible      it makes no sense with this transcript
├── NoteError            transcripts/note_requests: why no note is written or changed
│   ├── BadNote          the request makes no sense
│   ├── NoSuchNote       transcripts/notes: it is not there
│   ├── NotYours         transcripts/notes: somebody else wrote it
│   └── TooManyNotes     transcripts/notes: the session can have no more
├── MinutesError         minutes/requests: why minutes are not shown, changed or written
│   ├── BadMinutesRequest  minutes/requests: the request makes no sense
│   ├── NoSuchItem       minutes/editing: it is not there
│   ├── NoSuchSpeaker    minutes/editing: nobody of the meeting
│   ├── TooManyItems     minutes/editing: the meeting can have no more
│   ├── NotAsked         minutes/asking: a question that is none
│   ├── NotMailed        transcripts/mailing: they cannot go by e-mail, or not to these people
│   └── NoModel          minutes/language_model: none can be asked
├── BadLogo              transcripts/letterhead: the file cannot stand at the head of a transcript
├── BadRule              store/writing_rules: what is to be written for what makes no sense
├── BadHotwords          wire/hotword_lists: a list with a word that can be no hotword
├── BadLanguage          wire/languages: a text that names no language
├── BadScript            wire/languages: a text that names no script
├── BadAction            catalogue/actions: the request makes no sense
├── ModelsInUse          model_catalogue: models to delete that the service has loaded
├── StillLive            transcripts/retention: the session to delete goes on
├── ReceiverUnreachable  webhooks/sending: nobody took a message
├── StorageAway          recordings/object_storage: it does not answer, or refuses
├── Damaged              recordings/chunks: an encrypted file is not what was written
└── Unsatisfiable        recordings/byte_ranges: the range lies outside of the content

A wrong argument is a `ValueError`; what a row's rules forbid, Django's `ValidationError`. Nothing is imported
here, so pure modules may use it.
"""

from __future__ import annotations


class SessionsError(Exception):
    """Base of what this package raises on purpose."""
