// A colour for each voice of a session, that stays when the voice gets another name. Voices are counted in the order
// in which they came, also those that turned out to be another's: so every page gives the same colours at any time.

const COLOURS = 10;

export class VoiceColours {
  // `speakers`: the id of whoever each voice is, in the order of the voices.
  constructor(speakers = []) {
    this.colours = new Map();
    this.renamed = new Map();
    this.voices = 0;
    for (const id of speakers) this.add(id);
  }

  // 0 for nobody in particular, else 1 to 10.
  of(speakerId) {
    if (!speakerId) return 0;
    if (!this.colours.has(speakerId)) this.add(speakerId);
    return this.colours.get(speakerId);
  }

  add(speakerId) {
    const colour = (this.voices % COLOURS) + 1;
    this.voices += 1;
    if (!this.colours.has(speakerId)) this.colours.set(speakerId, colour);
  }

  // A line of `before` turned out to be `after`: if nobody knew `after`, it may be that voice's new name.
  rename(before, after) {
    if (before && after && this.colours.has(before) && !this.colours.has(after)) {
      this.colours.set(after, this.colours.get(before));
      this.renamed.set(after, before);
    }
  }

  // But not if `before` still speaks (`speaking`: ids): then it was only that line's, and is a voice of its own.
  // Returns the ids of those who got another colour.
  separate(speaking) {
    const separate = [...this.renamed].filter(([, before]) => speaking.has(before)).map(([after]) => after);
    this.renamed.clear();
    for (const id of separate) {
      this.colours.delete(id);
      this.add(id);
    }
    return separate;
  }
}
