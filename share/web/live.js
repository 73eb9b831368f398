// Keeps the page fresh by the program's events, and says when it has lost the
// program.
"use strict";
(() => {
  const name = document.title, body = document.body, live = document.getElementById("live");
  const patience = 20000; // ms; the program tells something every five seconds
  let heard = Date.now(), asOf = live.textContent.trim().replace("as of ", ""), stream;

  const say = (...parts) => {
    const text = parts.filter(Boolean).join(" · ");
    if (live.textContent !== text) live.textContent = text;
  };
  const lose = (why) => {
    if (!body.classList.contains("lost")) say(why + "; this is how things stood at " + asOf);
    body.classList.remove("live");
    body.classList.add("lost");
  };

  const rows = new Map(); // by key
  for (const li of document.querySelectorAll(".tasks > li")) rows.set(Number(li.dataset.key), li);

  const detail = (li) => {
    const details = li.querySelector("details");
    if (!details.open) return;
    let into = details.querySelector(".detail");
    if (!into) {
      into = document.createElement("div");
      into.className = "detail waiting";
      into.textContent = "reading the journal…";
      details.append(into);
    }
    fetch("task?key=" + li.dataset.key, { credentials: "same-origin" }).then(async (answer) => {
      const text = await answer.text();
      if (!details.open) return;
      const old = details.querySelector(".detail");
      if (answer.ok) old.outerHTML = text;
      else old.textContent = answer.status === 503 ? text : "this task is no longer listed";
    }).catch(() => { into.textContent = "the program does not answer"; });
  };
  document.addEventListener("toggle", (e) => {
    const li = e.target.closest?.(".tasks > li");
    if (!li) return;
    if (e.target.open) detail(li);
    else e.target.querySelector(".detail")?.remove();
  }, true);

  const renew = (key, row) => {
    let li = rows.get(key);
    if (!li) {
      li = document.createElement("li");
      li.dataset.key = key;
      const details = document.createElement("details");
      details.append(document.createElement("summary"));
      li.append(details);
      rows.set(key, li);
    }
    li.className = row.class;
    Object.assign(li.dataset, { id: row.id, heard: row.heard, took: row.took, messages: row.messages });
    const summary = li.querySelector("summary");
    summary.innerHTML = row.html; // our server's, in which all text is escaped
    detail(li);
  };

  // list puts the rows of a group in their order, and moves only those that are
  // out of it: an open one must not lose its place or the focus.
  const list = (group) => {
    const place = document.getElementById(group.ended ? "ended" : "open");
    let section = document.getElementById(group.class);
    if (!section) {
      section = document.createElement("section");
      section.id = group.class;
      section.className = "group " + group.class;
      const title = document.createElement("h2");
      title.append(group.name + " ", document.createElement("span"));
      const items = document.createElement("ol");
      items.className = "tasks";
      section.append(title, items);
    }
    section.querySelector("h2 span").textContent = group.count;
    const items = section.querySelector("ol");
    let next = items.firstElementChild;
    for (const key of group.keys) {
      const li = rows.get(key);
      if (li === next) next = next.nextElementSibling;
      else items.insertBefore(li, next);
    }
    return { section, place };
  };

  const show = (news) => {
    asOf = news.at;
    if (news.figures !== undefined) document.getElementById("figures").innerHTML = news.figures;
    if (news.statistics !== undefined) document.getElementById("statistics").innerHTML = news.statistics;
    for (const [key, row] of Object.entries(news.rows)) renew(Number(key), row);
    const listed = new Set(news.groups.flatMap((g) => g.keys));
    for (const [key, li] of rows) if (!listed.has(key)) { li.remove(); rows.delete(key); }
    const sections = news.groups.map(list);
    for (const place of [document.getElementById("open"), document.getElementById("ended")]) {
      const wanted = sections.filter((s) => s.place === place).map((s) => s.section);
      for (const section of [...place.children]) if (!wanted.includes(section)) section.remove();
      wanted.forEach((section, i) => { if (place.children[i] !== section) place.insertBefore(section, place.children[i] ?? null); });
    }
    document.getElementById("left").textContent = news.groups.length === 0 ? "No task yet."
      : news.left_out ? "Older tasks that are counted above, but not listed: " + news.left_out + "." : "";
    body.classList.remove("lost");
    body.classList.add("live");
    say("live, as of " + asOf, news.trouble, news.loading && "reading the journal");
    const failed = news.groups.find((g) => g.class === "failed")?.count;
    document.title = (failed ? failed + " failed · " : "") + name;
    document.dispatchEvent(new Event("aspectop:renewed"));
  };

  const follow = () => {
    stream?.close();
    stream = new EventSource("events");
    stream.addEventListener("news", (e) => { heard = Date.now(); show(JSON.parse(e.data)); });
    stream.addEventListener("end", () => { stream.close(); lose("The program has ended"); });
    stream.addEventListener("error", () => lose("The program does not answer"));
  };
  setInterval(() => {
    if (Date.now() - heard > patience) lose("The program does not answer");
    if (stream.readyState === EventSource.CLOSED) follow();
  }, 3000);
  follow();
})();
