"""Texts of the API's description, to be translated: see `tests/asrsite/api_texts.py`."""

from django.utils.translation import gettext_noop

TEXTS = [
    gettext_noop("0: without names."),
    gettext_noop("0: without people's notes."),
    gettext_noop("0: without times."),
    gettext_noop("1, 2, … in the order of recognition; 0 for a line that a person added."),
    gettext_noop("1: each line in the other language as well."),
    gettext_noop("A consent: to which text, since when and until when."),
    gettext_noop("A file on its way to become a meeting."),
    gettext_noop("A line in another language."),
    gettext_noop("A line of a transcript: what one voice said between two pauses."),
    gettext_noop("A line that says what was looked for."),
    gettext_noop("A meeting as a list has it."),
    gettext_noop("A meeting with all that is known of it but its lines."),
    gettext_noop("A page of meetings, the newest first."),
    gettext_noop("A page of speakers, and how many there are on all pages."),
    gettext_noop("A page of what a search found, the newest first."),
    gettext_noop("A part"),
    gettext_noop("A reason not to store a recording, in words."),
    gettext_noop("A recording that waits for a decision."),
    gettext_noop("A speaker, without anything of the voice."),
    gettext_noop("A text to agree to."),
    gettext_noop("A word, or one Chinese character, with its time."),
    gettext_noop("Add somebody of whom nothing is enrolled yet."),
    gettext_noop("Address of the meeting's page."),
    gettext_noop("Also those in which nobody spoke."),
    gettext_noop("An access token with its secret, which is told this once."),
    gettext_noop("An access token without its secret."),
    gettext_noop("An enrolled speaker who sounds like a recording."),
    gettext_noop("An error, in one sentence."),
    gettext_noop(
        "Announce a file (tus: Upload-Length, Upload-Metadata); the answer's Location takes its bytes."
    ),
    gettext_noop("Any script, without blanks and slashes; one is made if it is left out."),
    gettext_noop("As a person or a program gave it; empty without one."),
    gettext_noop(
        "Begin a meeting before anybody speaks: it has its title, and can be shared. It waits for "
        "its sender for ten minutes, then it ends. A sender needs no such meeting: the first one "
        "that connects with a new id begins it."
    ),
    gettext_noop("Begun on this day or before."),
    gettext_noop("Begun on this day or later."),
    gettext_noop("Besides, lines changed behind this `revision`."),
    gettext_noop("Bytes that have come."),
    gettext_noop(
        "Call a file off; what was transcribed stays. One that is done or failed is taken out of the list."
    ),
    gettext_noop("Change the name or the note; transcripts show the new name."),
    gettext_noop(
        "Code of the language that is spoken, of those that the models know; found out if it is left out."
    ),
    gettext_noop("Delete a recording that shall not be stored."),
    gettext_noop("Delete all that is known of somebody; every worker drops the voice."),
    gettext_noop("Delete one recording of somebody; every worker drops what it told of the voice."),
    gettext_noop("Empty where nobody has asked for one."),
    gettext_noop("End a meeting that goes on, as if its sender had; what is recorded by then is recognised."),
    gettext_noop("Export everything that is kept of somebody, as a ZIP."),
    gettext_noop("Figures of a voiceprint; its recording has an address of its own."),
    gettext_noop("Files that are transcribed before this one, while it waits."),
    gettext_noop("For how long it works; null until it is revoked."),
    gettext_noop("Give a meeting another title; needs a login with the right to edit."),
    gettext_noop("How many at most."),
    gettext_noop("How many others spoke."),
    gettext_noop("ID of the meeting, once it has begun."),
    gettext_noop("Id of an enrolled person who said it."),
    gettext_noop("Id of an enrolled person who speaks there."),
    gettext_noop("Id of its meeting."),
    gettext_noop("Id of the meeting that it goes on with."),
    gettext_noop("Ids of enrolled people who are expected: they are recognised more easily."),
    gettext_noop("Ids of lines that are no longer there; only with `changed_after`."),
    gettext_noop("In meetings begun on this day or before."),
    gettext_noop("In meetings begun on this day or later."),
    gettext_noop("In which characters its lines are written; as the settings say if it is left out."),
    gettext_noop("It cannot be done as things stand."),
    gettext_noop("It cannot be read here and now: the log of the server says why."),
    gettext_noop(
        "It is not known who asks: a token or a login is needed, or this one is not good (any more)."
    ),
    gettext_noop("Its title, or what it is called without one."),
    gettext_noop("Judgement of a recording."),
    gettext_noop("Lines of a meeting as they read now."),
    gettext_noop("Lines of a meeting in another language, as far as they are translated and read so now."),
    gettext_noop("List everybody, by name; `search` is a part of the name."),
    gettext_noop("List the consents of somebody, the newest first."),
    gettext_noop("List the files that you have sent, the newest first."),
    gettext_noop(
        "List the lines of a meeting in the language into which it is translated, some at a time. "
        "Ask again with the `number` that was told, until no more lines come; or use the socket."
    ),
    gettext_noop(
        "List the lines of a meeting in their order, as they read now, also while it goes on. To "
        "follow it, ask again with `after` and `changed_after` as the answer before told `seq` and "
        "`revision`; or use the socket."
    ),
    gettext_noop(
        "List the meetings that you may see, the newest first. What was said in them is found by `/search`."
    ),
    gettext_noop(
        "List the tokens for this meeting alone that work now, share links among them, the newest first."
    ),
    gettext_noop("List what is enrolled of somebody, the newest first."),
    gettext_noop("List who speaks in a meeting, in the order in which they came."),
    gettext_noop("Login name; empty for nobody."),
    gettext_noop(
        "Make a token for this meeting alone. Needs a login that may share it, and may do itself "
        "what the token may."
    ),
    gettext_noop("Make a voiceprint of it; `is_sure` if it was listened to and something speaks against it."),
    gettext_noop("Meetings that are called so; on the first page."),
    gettext_noop(
        "Merge with another entry for the same person: all that belongs to it comes here, and it is deleted."
    ),
    gettext_noop("Name of a set of models; the default if it is left out."),
    gettext_noop("Name of a tag that they have."),
    gettext_noop("Name of the folder that they are in."),
    gettext_noop("Names of those who spoke, in the order in which they came; six at most."),
    gettext_noop("Names the meeting in addresses."),
    gettext_noop("Null unless `words=true` is asked for."),
    gettext_noop("Number of its last change in this meeting; 0 if it never changed."),
    gettext_noop("Number of its last line."),
    gettext_noop("Number of the last change by then; to be sent as `changed_after` for what changes later."),
    gettext_noop("Number of the last change to a line."),
    gettext_noop("Number of the last line when they were read."),
    gettext_noop("Of a stranger: 1, 2, …"),
    gettext_noop("Of the line."),
    gettext_noop("Of the lines together."),
    gettext_noop("Of the recording; 0 while that is not known."),
    gettext_noop("Of the sound that is recognised."),
    gettext_noop("Only lines of a higher `seq`."),
    gettext_noop("Only the first so many samples, which never change."),
    gettext_noop("Only what came after this `number`."),
    gettext_noop("Probability that this voice said the line; null where there was nothing to compare."),
    gettext_noop(
        "Put a meeting into the trash, out of which it can be had back for some days. It must have ended."
    ),
    gettext_noop("Record that somebody agreed to this text."),
    gettext_noop("Report that a person has agreed."),
    gettext_noop("Request for a meeting that somebody will speak into."),
    gettext_noop("Request for an access token for one meeting."),
    gettext_noop("Request for another name or note; what is left out stays."),
    gettext_noop("Request for another speaker."),
    gettext_noop("Request for another title."),
    gettext_noop("Request to merge another entry for the same person."),
    gettext_noop("Revoke a token: sockets that were opened by it are closed."),
    gettext_noop(
        "Search what was said in all meetings that you may see: any piece of a line, from two characters on."
    ),
    gettext_noop(
        "Send a piece (tus: Upload-Offset) of at most 50 MB; after the last one the file is transcribed."
    ),
    gettext_noop(
        "Send a recording of somebody; a worker listens, and nothing is stored until it is decided."
    ),
    gettext_noop("Send a recording that waits for a decision, as FLAC."),
    gettext_noop(
        "Send the recording to keep: FLAC once the meeting has ended, WAV before. Takes Range requests."
    ),
    gettext_noop("Send the recording, as FLAC; that somebody listened is on record."),
    gettext_noop(
        "Send the sound to listen to, as WAV (16 kHz, 16 bits, mono), also while the meeting goes "
        "on. Takes Range requests."
    ),
    gettext_noop("Send the transcript as a file."),
    gettext_noop("Show a meeting without its lines."),
    gettext_noop("Show one speaker."),
    gettext_noop("Show the text to agree to, in the language that is asked for if there is one."),
    gettext_noop("Show the verdict, once a worker has listened."),
    gettext_noop("Somebody else who speaks during a line, without words of their own."),
    gettext_noop("Somebody who speaks in a meeting."),
    gettext_noop("Stable: of an enrolled person everywhere, of a stranger within the meeting."),
    gettext_noop("Tell how far a file is."),
    gettext_noop("The account has used up what it may take."),
    gettext_noop("The language into which a language model translates its lines, where one is set up."),
    gettext_noop("The models that recognise it."),
    gettext_noop("The speaker of a line."),
    gettext_noop("The state of a meeting."),
    gettext_noop("There is no such part"),
    gettext_noop("There is no such thing, or whoever asks may not see it."),
    gettext_noop("Those that go on, or are over."),
    gettext_noop("To be sent as `Authorization: Bearer SECRET`."),
    gettext_noop("To be sent as `after` to be told what comes next."),
    gettext_noop("To be sent as `before` for the next page; null on the last one."),
    gettext_noop("To send sound and end the meeting, or to read it."),
    gettext_noop("Too many wrong passwords or requests: wait for the seconds of Retry-After."),
    gettext_noop("Transcribed so far."),
    gettext_noop("What ended it; empty while it goes on."),
    gettext_noop("What is wrong, in the language that was asked for."),
    gettext_noop("What the page before told as `next`."),
    gettext_noop("What was said, or a title."),
    gettext_noop("What was sent makes no sense; the sentence names the field."),
    gettext_noop("What you may do with it: read, send, export, comment, edit, share, delete."),
    gettext_noop("Where its sound is sent and its lines are followed, by WebSocket: see docs/protocol.md."),
    gettext_noop("Whether a person corrected the text."),
    gettext_noop("Whether it may have exports and the recording as well; only for reading."),
    gettext_noop("Whoever asks may not do this."),
    gettext_noop("Why it failed, in words; empty otherwise."),
    gettext_noop("With the times of words."),
    gettext_noop("Withdraw a consent: what was enrolled under it is deleted."),
    gettext_noop("Within ten minutes."),
    gettext_noop("Words that are likely to be said, each perhaps with its weight (1 to 100) behind a colon."),
    gettext_noop("Your favourites only."),
    gettext_noop("receiving, waiting, running, done, failed, cancelled"),
]
