// Tells the server the reader's time zone, in which pages are written from the next one on. Not a module: it is tiny.
(function () {
  "use strict";
  const YEAR_S = 365 * 24 * 3600;
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  if (timeZone && !document.cookie.split("; ").includes(`timezone=${timeZone}`)) {
    document.cookie = `timezone=${timeZone}; path=/; max-age=${YEAR_S}; samesite=lax`;
  }
})();
