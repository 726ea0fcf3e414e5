// Waits for a worker's verdict on a recording, then shows it.

const EVERY_MS = 700;

const page = document.getElementById("decide");

async function look() {
  try {
    const response = await fetch(page.dataset.verdict, { headers: { Accept: "application/json" } });
    const answer = response.ok ? await response.json() : {};
    if (answer.is_judged || answer.has_failed || response.status === 404) {
      location.reload();
      return;
    }
  } catch {
    // The server may be restarting: ask again.
  }
  setTimeout(look, EVERY_MS);
}

if (!("isSettled" in page.dataset)) setTimeout(look, EVERY_MS);
