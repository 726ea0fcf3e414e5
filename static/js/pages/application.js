// Every page: what makes of them an application that can be installed.

if (navigator.serviceWorker) {
  // Not before the page is there: it comes first.
  addEventListener("load", async () => {
    const url = document.documentElement.dataset.worker;
    try {
      if (url) await navigator.serviceWorker.register(url, { type: "module" });
    } catch {
      // An old browser, or a private window: the pages work without it.
    }
  });
}
