"""Intervals at which audio is gathered on its way to the models: waking costs more than carrying.

Where the time of a first partial goes, from the beginning of speech; on average, without load:

    step                                 one process   Redis   set by
    speech that must have been heard          0.45 s    0.45   FIRST_PREVIEW of recognition.core.session, less
                                                               the silence before the speech
    the sender's frame fills                  0.05      0.05   the sender (frames of 0.1 s)
    waiting to be read from the socket        0.04      0.04   SOCKET_READ_INTERVAL_S
    waiting to be handed to the worker        0.00         -   HANDOVER_INTERVAL_S; what is read together is
                                                               handed over at once
    collected and written to the log             -      0.03   APPEND_COLLECT_S, APPEND_INTERVAL_S
    read from the log                            -      0.03   LOG_READ_INTERVAL_S
    speech found, words recognised            0.03      0.03   the models
    published, written to the sockets         0.00      0.00

Later partials come with each chunk of the first pass (0.6 s), and wait for company only when the core is
busy (recognition.engine.scheduler). What is measured: asr_partial_age_seconds and asr_final_age_seconds at
/metrics.
"""

from __future__ import annotations

from recognition.audio import samples

SOCKET_READ_INTERVAL_S = 0.08
"""The longest that a frame waits for others to be read with it."""

HANDOVER_INTERVAL_S = 0.04
"""Audio that comes within it is handed to the worker of this process together, that of all sessions. What
comes after a pause is handed over at once; so is what a server reads together, at a slower pace."""

APPEND_COLLECT_S = 0.005
"""For how long audio is collected before it is written to Redis: that of senders which are read together."""

APPEND_INTERVAL_S = 0.045
"""Shortest time between two writes to Redis. If this process is killed, so much audio is lost of a sender
that cannot send again."""

LOG_READ_INTERVAL_S = 0.05
"""Pause between two reads from Redis: audio of more sessions comes together in it, and requests cost."""

MAX_UNHEARD = samples(2)
"""Audio that may wait for speech detection before more is read."""
