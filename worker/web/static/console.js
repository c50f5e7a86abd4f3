// Keeps what changes fresh: a part marked data-refresh is read again every so many seconds, from the same address.
// Pages work without it; a part that holds the focus or an open menu is left alone.
"use strict";
const boxes = (part) => [...part.querySelectorAll(".scroll")];
const renew = (part, fresh) => {
  const places = boxes(part).map((box) => box.scrollLeft);
  part.innerHTML = fresh.innerHTML;
  boxes(part).forEach((box, index) => { box.scrollLeft = places[index] ?? 0; });
};
for (const part of document.querySelectorAll("[data-refresh]")) {
  const seconds = Number(part.dataset.refresh);
  const index = [...document.querySelectorAll("[data-refresh]")].indexOf(part);
  const look = async () => {
    if (document.visibilityState === "visible" && !part.contains(document.activeElement)) {
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        if (answer.ok) {
          if (answer.redirected) return location.assign(answer.url);
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          if (part.dataset.until && page.querySelector(part.dataset.until)) return location.reload();
          const fresh = page.querySelectorAll("[data-refresh]")[index];
          if (fresh && fresh.innerHTML !== part.innerHTML) renew(part, fresh);
        }
      } catch { /* the console is away for a while: the next look tries again */ }
    }
    setTimeout(look, seconds * 1000);
  };
  setTimeout(look, seconds * 1000);
}
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { menu.open = false; menu.querySelector("summary").focus(); } });
}
// Where the places do not fit side by side, the one where we are is seen.
for (const here of document.querySelectorAll(".places [aria-current]")) {
  const row = here.parentElement;
  row.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - row.offsetLeft - row.clientWidth / 2;
}
