// Light, dark or as the system says; set before the first paint. Not a module: those come too late.
(function () {
  "use strict";
  const root = document.documentElement;
  const systemIsDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark());

  /** @returns {string | null} what was chosen; null for the system's choice */
  function saved() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  }

  /** @param {string | null} theme null for the system's choice */
  function save(theme) {
    try {
      if (theme) localStorage.setItem("theme", theme);
      else localStorage.removeItem("theme");
    } catch {
      // A browser that keeps nothing still shows what was chosen on this page.
    }
  }

  /** @param {string | null} theme null for the system's choice */
  function show(theme) {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  show(saved());
  document.addEventListener("click", ({ target }) => {
    if (!(target instanceof Element && target.closest("[data-theme-switch]"))) return;
    const wanted = isDark() ? "light" : "dark";
    // The system's own choice is not remembered: whoever changes that later expects us to follow.
    const theme = wanted === (systemIsDark() ? "dark" : "light") ? null : wanted;
    show(theme);
    save(theme);
  });
})();
