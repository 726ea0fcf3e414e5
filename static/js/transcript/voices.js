// Colours of a session's voices, which stay when a voice gets another name. Voices are counted in the order in which
// they came, also those that turned out to be another's: so every page gives the same colours at any time. Pure.

const COLOURS = 10;

export class VoiceColours {
  /** @type {Map<string, number>} */
  colours = new Map();
  /** @type {Map<string, string>} */
  renamed = new Map();
  voices = 0;

  /** @param {Iterable<string>} [speakers] the id of whoever each voice is, in the order of the voices */
  constructor(speakers = []) {
    for (const id of speakers) this.add(id);
  }

  /**
   * Return the colour of a voice: 0 for nobody in particular, else 1 to 10.
   *
   * @param {string} speakerId
   */
  of(speakerId) {
    if (!speakerId) return 0;
    return this.colours.get(speakerId) ?? this.add(speakerId);
  }

  /** @param {string} speakerId */
  add(speakerId) {
    const known = this.colours.get(speakerId);
    const colour = known ?? (this.voices % COLOURS) + 1;
    this.voices += 1;
    this.colours.set(speakerId, colour);
    return colour;
  }

  /**
   * Learn that a line of `before` turned out to be `after`: if nobody knew `after`, it may be that voice's new name.
   *
   * @param {string} before
   * @param {string} after
   */
  rename(before, after) {
    const colour = this.colours.get(before);
    if (!after || colour === undefined || this.colours.has(after)) return;
    this.colours.set(after, colour);
    this.renamed.set(after, before);
  }

  /**
   * Take a new name back where the voice still speaks under the old one: only that line was somebody else's, who
   * is a voice of their own.
   *
   * @param {Set<string>} speaking ids of those who speak
   * @returns {string[]} ids of those who got another colour
   */
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
