"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const theme = $("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.hidden = false;
  name();
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });

  // A link to something folded away opens it.
  const open = () => {
    const target = location.hash.length > 1 && $(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));

  // Lineage of a column: the links of the page say one step back; here they are followed to both ends.
  const rows = new Map();
  const columns = document.querySelectorAll("#tables ~ details tr[id]");
  const ids = (box, links) => [...box.querySelectorAll(links)].map((a) => a.getAttribute("href").slice(1));
  columns.forEach((row) => {
    const box = row.closest("details");
    const back = ids(row, "td > a");
    const by = [...new Set([...ids(row, "small a"), ...ids(box, ".rows a")])].filter((id) => !back.includes(id));
    const dot = row.id[0] === "s" ? ": " : ".";
    rows.set(row.id, {label: box.querySelector("b").textContent + dot + row.firstElementChild.textContent, back, by});
  });
  const forward = new Map();
  const decides = new Map();
  const put = (map, key, value) => map.set(key, [...(map.get(key) || []), value]);
  rows.forEach((row, id) => {
    row.back.forEach((other) => put(forward, other, id));
    row.by.forEach((other) => put(decides, other, id));
  });
  const make = (kind, text) => Object.assign(document.createElement(kind), {textContent: text || ""});
  const link = (id) => Object.assign(make("a", rows.get(id).label), {href: "#" + id});
  const list = (word, ids) => {
    const item = make("li", word + " ");
    item.className = "soft";
    ids.filter((id) => rows.has(id)).forEach((id, number) => item.append(number ? ", " : "", link(id)));
    return item;
  };
  const tree = (id, next, beside, word, seen) => {
    const found = make("ul");
    (next(id) || []).filter((other) => rows.has(other)).forEach((other) => {
      const item = make("li");
      item.append(link(other));
      if (seen.has(other)) item.append(" (shown above)");
      else { seen.add(other); item.append(tree(other, next, beside, word, seen)); }
      found.append(item);
    });
    const others = beside(id) || [];
    if (others.length) found.append(list(word, others));
    if (!found.children.length && seen.size === 1) found.append(make("li", "nothing"));
    return found;
  };
  const panel = $("trace");
  let from = null;
  const close = () => { panel.hidden = true; if (from) from.focus(); };
  const show = (id, button) => {
    from = button;
    const shut = make("button", "Close");
    shut.addEventListener("click", close);
    const title = make("h2", rows.get(id).label);
    title.id = "trace-title";
    title.tabIndex = -1;
    panel.replaceChildren(
      shut, title,
      make("h3", "Comes from"), tree(id, (x) => rows.get(x).back, (x) => rows.get(x).by, "rows by", new Set([id])),
      make("h3", "Goes into"), tree(id, (x) => forward.get(x), (x) => decides.get(x), "decides rows of", new Set([id])));
    panel.hidden = false;
    title.focus();
  };
  addEventListener("keydown", (event) => { if (event.key === "Escape" && !panel.hidden) close(); });
  columns.forEach((row) => {
    const cell = row.firstElementChild;
    const button = make("button", cell.textContent);
    button.title = "Show the lineage of " + rows.get(row.id).label;
    button.addEventListener("click", () => show(row.id, button));
    cell.replaceChildren(button);
  });
})();
