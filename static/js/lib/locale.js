// The locale by whose habits dates are written in a language of the pages. Pure.

/** The day before the month, and clocks of 24 hours, as the server writes English. */
const ENGLISH = "en-GB";

/**
 * @param {string} language of the page
 * @returns {string}
 */
export const localeOf = (language) => (language === "en" ? ENGLISH : language);
