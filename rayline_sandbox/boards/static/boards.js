// Filter rows while typing; look every three seconds whether what is shown has changed, and redraw it in place.
(() => {
  "use strict";
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  const filter = () => {
    const find = document.getElementById("find");
    const wanted = (find ? find.value : "").trim().toLocaleLowerCase();
    each("[data-row]", (row) => { row.hidden = wanted !== "" && !row.textContent.toLocaleLowerCase().includes(wanted); });
  };

  const toToday = () => each("[data-today]", (box) => {
    const today = parseFloat(box.dataset.today);
    if (!Number.isNaN(today)) box.scrollLeft = (box.scrollWidth * today) / 100 - box.clientWidth * 0.4;
  });

  const kept = () => {
    const places = {};
    each("[data-keep]", (box) => { places[box.dataset.keep] = [box.scrollLeft, box.scrollTop]; });
    return places;
  };

  const redraw = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (document.querySelector("[data-today]")) { location.reload(); return; }
    const before = new Map();
    each("main [data-id]", (row) => before.set(row.dataset.id, row.innerHTML));
    const places = kept();
    const typed = document.getElementById("find")?.value || "";
    each("[data-part]", (part) => {
      const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
      if (fresh) part.replaceWith(fresh);
    });
    document.title = page.title;
    each("[data-keep]", (box) => { [box.scrollLeft, box.scrollTop] = places[box.dataset.keep] || [0, 0]; });
    each("main [data-id]", (row) => { if (before.get(row.dataset.id) !== row.innerHTML) row.classList.add("fresh"); });
    const find = document.getElementById("find");
    if (find) { find.value = typed; find.addEventListener("input", filter); }
    filter();
  };

  let known = null;
  const look = async () => {
    try {
      const answer = await fetch(`/_version?of=${encodeURIComponent(location.pathname + location.search)}`);
      const { version } = await answer.json();
      document.body.classList.remove("lost");
      if (known !== null && version !== known && document.activeElement?.id !== "find") await redraw();
      known = version;
    } catch { document.body.classList.add("lost"); }
    setTimeout(look, 3000);
  };

  document.getElementById("find")?.addEventListener("input", filter);
  toToday();
  look();
})();
