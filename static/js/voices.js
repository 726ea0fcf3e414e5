// A colour for each voice of a session, in order of appearance, that stays when the voice gets another name.
// Every page of a session begins with all who spoke before, so that all give the same colours.

const COLOURS = 10;

export class VoiceColours {
  // `speakers`: ids, in order of appearance.
  constructor(speakers = []) {
    this.colours = new Map();
    for (const id of speakers) this.of(id);
  }

  // 0 for nobody in particular, else 1 to 10.
  of(speakerId) {
    if (!speakerId) return 0;
    if (!this.colours.has(speakerId)) this.colours.set(speakerId, this.next());
    return this.colours.get(speakerId);
  }

  // A line of `before` turned out to be `after`: if nobody knew `after`, it is that voice's new name.
  rename(before, after) {
    if (before && after && this.colours.has(before) && !this.colours.has(after)) {
      this.colours.set(after, this.colours.get(before));
    }
  }

  next() {
    return (new Set(this.colours.values()).size % COLOURS) + 1;
  }
}
