"""Speech recognition: audio in, events out. No Django, no Channels; torch only in `recognition.funasr`."""
