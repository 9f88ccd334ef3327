"use strict";
{
  const make = (tag, name, ...children) => {
    const e = document.createElement(tag);
    if (name) e.className = name;
    e.append(...children);
    return e;
  };
  const show = x => x === null || x === undefined ? "–" : String(x).replace("-", "−");

  // unpack returns the candidates of a row: JSON, deflated, in base64 for URLs.
  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), c => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).json();
  }

  // write shows a text with its wrong equations marked: plain, equation, what it should be, plain, …
  function write(parts) {
    const p = make("p", "text");
    p.tabIndex = 0;
    parts.forEach((part, i) => {
      if (i % 3 === 1) p.append(make("mark", "", part));
      else if (i % 3 === 2) p.append(make("span", "want", part ? ` (is ${part})` : " (wrong)"));
      else p.append(part);
    });
    return p;
  }

  // wrong lists the wrong equations of a text, which may be far down in it.
  function wrong(parts) {
    const line = make("div", "facts", "wrong: ");
    for (let i = 1; i < parts.length; i += 3) line.append(i > 1 ? " · " : "", make("mark", "", parts[i]), parts[i + 1] ? ` (is ${parts[i + 1]})` : "");
    return line;
  }

  function candidate(c, i, columns, rule) {
    const line = make("div", "top-line", make("span", "facts", "#" + (i + 1)), make("span", "given", c.a || "no answer"), make("span", "", c.v.replace("_", " ")));
    if (c.c & 1) line.append(make("span", "badge", "majority"));
    if (c.c & 2) line.append(make("span", "badge", rule));
    const facts = [];
    if (c.h !== undefined) facts.push("entropy " + show(c.h) + " nats");
    if (c.d !== undefined && c.d < 1) facts.push("in-distribution weight " + show(c.d));
    for (const name of Object.keys(c.s || {}).sort()) if (name !== "entropy" || c.h === undefined) facts.push(name + " " + show(c.s[name]));
    const item = make("li", c.v, line, make("div", "facts", facts.join(" · ")));
    if (c.t && c.t.length > 1) item.append(wrong(c.t));
    if (c.t) item.append(write(c.t));
    const rows = (c.g || []).map((x, j) => {
      const head = make("th", "", columns[j]);
      head.scope = "row";
      return make("tr", "", head, make("td", "num", show(x)));
    });
    if (rows.length) item.append(make("details", "", make("summary", "", "signals"), make("table", "", make("tbody", "", ...rows))));
    return item;
  }

  async function toggle(row, open) {
    const link = row.querySelector("th a"), next = row.nextElementSibling;
    const shown = next && next.classList.contains("opened");
    if (shown && !open) { next.remove(); link.setAttribute("aria-expanded", "false"); return; }
    if (shown || row.dataset.busy) return;
    row.dataset.busy = "1";
    const box = row.closest(".questions"), data = await unpack(row.dataset.c);
    const cell = make("td", "", make("h4", "", data.q), make("ul", "candidates",
      ...data.c.map((c, i) => candidate(c, i, box.dataset.columns.split(","), box.dataset.rule))));
    cell.colSpan = row.cells.length;
    row.after(make("tr", row.className + " opened", cell));
    link.setAttribute("aria-expanded", "true");
    delete row.dataset.busy;
  }

  function update(box) {
    const words = box.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    const asked = location.hash.slice(2 + box.dataset.part.length), filters = [...box.querySelectorAll(".filters a")];
    const filter = filters.find(a => a.hash === location.hash) ? asked : "all";
    let count = 0;
    for (const row of box.querySelectorAll("tbody tr[data-c]")) {
      const text = row.textContent.toLowerCase(), next = row.nextElementSibling;
      row.hidden = !words.every(w => text.includes(w));
      if (next && next.classList.contains("opened")) next.hidden = row.hidden;
      if (!row.hidden && row.classList.contains(filter)) count++;
    }
    box.querySelector(".status").textContent = count === 1 ? "1 question" : count + " questions";
    for (const a of filters) {
      if (a.hash === location.hash) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
    }
  }

  // follow does what the address asks for: filters work by style alone, a question opens.
  function follow() {
    document.querySelectorAll(".questions").forEach(update);
    const row = location.hash && document.getElementById(location.hash.slice(1));
    if (row && row.dataset.c) toggle(row, true);
  }

  for (const box of document.querySelectorAll(".questions")) {
    box.querySelector(".search").hidden = false;
    for (const link of box.querySelectorAll("tbody th a")) link.setAttribute("aria-expanded", "false");
    box.querySelector("input").addEventListener("input", () => update(box));
    box.querySelector("tbody").addEventListener("click", event => {
      const row = event.target.closest("tr[data-c]");
      if (!row || String(getSelection())) return;
      if (event.target.closest("a")) {
        event.preventDefault(); // the filter in the address stays
      }
      toggle(row, false);
    });
  }
  addEventListener("hashchange", follow);
  follow();
}
