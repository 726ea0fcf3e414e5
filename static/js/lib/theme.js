// Light, dark or as the system says; set before the first paint. Not a module: those come too late.
(function () {
  "use strict";
  const root = document.documentElement;
  const saved = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const isDark = () => {
    const theme = root.dataset.theme;
    return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  if (saved()) root.dataset.theme = saved();

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const wanted = isDark() ? "light" : "dark";
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    // The system's own choice is not remembered: whoever changes that later expects us to follow.
    if (wanted === system) delete root.dataset.theme;
    else root.dataset.theme = wanted;
    try {
      if (root.dataset.theme) localStorage.setItem("theme", wanted);
      else localStorage.removeItem("theme");
    } catch {
      // A browser that keeps nothing still shows what was chosen on this page.
    }
  });
})();
