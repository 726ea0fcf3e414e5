// A page of one webhook: it looks again while something is on its way, and asks before a secret is replaced.

const EVERY_MS = 1500;

document.addEventListener("submit", (event) => {
  const question = event.target instanceof HTMLFormElement && event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

if (document.querySelector("[data-underway]")) setTimeout(() => location.reload(), EVERY_MS);
