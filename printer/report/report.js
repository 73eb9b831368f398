// Sorts and filters what the page shows. Nothing depends on it.
"use strict";
(() => {
  document.documentElement.classList.add("js");

  // Tables sort by a column whose title is pressed, and the other way round when
  // it is pressed again.
  const value = (row, column, kind) => {
    const cell = row.cells[column];
    const v = cell.dataset.value ?? cell.textContent;
    return kind === "number" ? Number(v) || 0 : v;
  };
  const sortTable = (title) => {
    const table = title.closest("table"), column = title.cellIndex, kind = title.dataset.sort;
    const down = title.getAttribute("aria-sort") !== "descending" && (kind === "number" || title.hasAttribute("aria-sort"));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    title.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const x = value(a, column, kind), y = value(b, column, kind);
      return (down ? -1 : 1) * (x < y ? -1 : x > y ? 1 : 0);
    });
    table.tBodies[0].append(...rows);
  };
  const titles = (root) => {
    for (const title of root.querySelectorAll("th[data-sort]")) {
      if (title.querySelector("button")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...title.childNodes);
      button.addEventListener("click", () => sortTable(title));
      title.append(button);
    }
  };

  // Tasks are filtered by words, all of which a row must hold, and sorted within
  // their group.
  const form = document.querySelector(".controls");
  if (!form) return titles(document); // one task
  const rows = () => [...document.querySelectorAll(".tasks > li")];
  const words = (row) => (row.dataset.id + " " + row.querySelector("summary, .bare").textContent).toLowerCase();
  const filter = () => {
    const wanted = form.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    const all = rows();
    for (const row of all) {
      const text = wanted.length ? words(row) : "";
      const hide = !wanted.every((w) => text.includes(w));
      row.classList.toggle("hidden", hide);
      if (!hide) shown++;
    }
    for (const group of document.querySelectorAll(".group")) {
      group.classList.toggle("hidden", !group.querySelector(".tasks > li:not(.hidden)"));
    }
    const tasks = all.length === 1 ? " task" : " tasks";
    form.querySelector("output").textContent = (wanted.length ? shown + " of " : "") + all.length + tasks;
  };
  const sort = () => {
    const name = form.sort.value, key = name.replace("-", ""), way = name.startsWith("-") ? 1 : -1;
    for (const list of document.querySelectorAll(".tasks")) {
      const items = [...list.children];
      items.sort(key === "id"
        ? (a, b) => (a.dataset.id < b.dataset.id ? -1 : 1)
        : (a, b) => way * (a.dataset[key] - b.dataset[key]));
      list.append(...items);
    }
  };
  let waiting;
  form.addEventListener("input", (e) => {
    if (e.target !== form.filter) return;
    clearTimeout(waiting);
    waiting = setTimeout(filter, 80);
  });
  form.addEventListener("change", (e) => { if (e.target === form.sort) sort(); });
  form.addEventListener("submit", (e) => { e.preventDefault(); filter(); });

  // The live page tells when it has put new rows in.
  document.addEventListener("aspectop:renewed", () => {
    titles(document);
    if (form.sort.selectedIndex > 0) sort();
    filter();
  });
  titles(document);
  filter();
})();
