// Asks for news, shows them, and sends what is done on the page. Whatever comes from customers or callers is put in as
// text; the one exception are bubbles, which the sandbox has drawn and escaped.
"use strict";

{
  const element = (id) => document.getElementById(id);
  const html = document.documentElement;
  const look = window.trustedTypes
    ? window.trustedTypes.createPolicy("look", { createHTML: (markup) => markup })
    : { createHTML: (markup) => markup };
  const BUBBLES = 100;
  const PAUSE = 100; // ms between two requests for news, however much happens

  const known = { openid: "", since: 0, have: 0, state: "" };
  const customers = new Map(); // openid -> its list item
  let waiting = new AbortController();

  // --- to the sandbox

  const address = (name, query = {}) => {
    const parts = new URLSearchParams({ account: element("account").value, lang: html.lang, ...query });
    return `${name}?${parts}`;
  };
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  async function listen() {
    for (;;) {
      waiting = new AbortController();
      try {
        const reply = await fetch(address("news", known), { signal: waiting.signal });
        if (!reply.ok) throw new Error(reply.status);
        show(await reply.json());
        element("lost").hidden = true;
        await pause(PAUSE);
      } catch (error) {
        if (error.name !== "AbortError") {
          element("lost").hidden = false;
          await pause(1000);
        }
      }
    }
  }

  async function post(name, query, body) {
    element("wrong").textContent = "";
    let wrong = element("lost").textContent;
    try {
      const reply = await fetch(address(name, query), { method: "POST", body });
      if (reply.ok) return true;
      wrong = (await reply.json()).error;
    } catch {
      // the sandbox has gone
    }
    element("wrong").textContent = wrong;
    return false;
  }

  const act = (fields) => post("act", {}, JSON.stringify(fields));

  // --- what is shown

  function show(news) {
    known.since = news.number;
    known.state = news.state;
    showCustomers(news.customers);
    element("more").textContent = news.more;
    element("more").hidden = !news.more;
    showRows("calls", news.calls, callCells);
    showRows("pushes", news.pushes, pushCells);
    if (news.phone && news.phone.openid === known.openid) showBubbles(news.phone);
    if (news.now) showNow(news.now);
    if (!known.openid && news.customers.length) choose(news.customers.at(-1).openid);
  }

  function showCustomers(rows) {
    const first = !customers.size;
    for (const { openid, said, at } of rows) {
      const item = customers.get(openid) || newCustomer(openid);
      item.querySelector(".who-said").textContent = said;
      item.querySelector(".who-at").textContent = at;
      item.classList.toggle("new", !first && openid !== known.openid && said !== "");
      const focused = item.contains(document.activeElement) && document.activeElement;
      element("people").prepend(item);
      if (focused) focused.focus();
    }
    element("nobody").hidden = customers.size > 0;
    if (rows.length) filter();
  }

  function newCustomer(openid) {
    const button = make("button", "", "who");
    const hue = [...openid].reduce((sum, char) => sum + char.charCodeAt(0), 0) % 6;
    button.type = "button";
    const face = make("span", openid[0].toUpperCase(), `face hue${hue}`);
    face.setAttribute("aria-hidden", "true");
    button.append(face, make("span", openid, "who-openid"), make("span", "", "who-at"), make("span", "", "who-said"));
    button.addEventListener("click", () => choose(openid));
    if (openid === known.openid) button.setAttribute("aria-current", "true");
    const item = make("li");
    item.append(button);
    customers.set(openid, item);
    return item;
  }

  function filter() {
    const wanted = element("openid").value.trim().toLowerCase();
    for (const [openid, item] of customers) item.hidden = !openid.toLowerCase().includes(wanted);
  }

  function choose(openid) {
    const before = customers.get(known.openid);
    if (before) before.firstChild.removeAttribute("aria-current");
    Object.assign(known, { openid, have: 0, state: "" });
    element("talk").replaceChildren();
    element("whose").textContent = openid;
    element("hand").firstElementChild.disabled = !openid;
    const item = customers.get(openid);
    if (item) {
      item.firstChild.setAttribute("aria-current", "true");
      item.classList.remove("new");
    }
    remember();
    waiting.abort();
  }

  function showBubbles({ have, reset, rows }) {
    const talk = element("talk");
    known.have = have;
    if (reset) talk.replaceChildren();
    for (const row of rows) {
      const template = document.createElement("template");
      template.innerHTML = look.createHTML(row);
      talk.append(template.content);
    }
    while (talk.children.length > 2 * BUBBLES) talk.firstChild.remove();
  }

  function showNow(now) {
    for (const id of ["api", "clock", "moment", "who", "window", "planned"]) {
      if (id === "api" && !now.api) continue;
      if (element(id).textContent !== now[id]) element(id).textContent = now[id];
    }
    element("agent").hidden = !now.agent;
    element("clear").hidden = !now.planned;
  }

  function make(tag, text = "", className = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = className;
    return made;
  }

  // --- the log

  function showRows(id, rows, cells) {
    const body = element(id);
    if (!rows.length) return;
    const added = document.createDocumentFragment();
    for (const row of rows) added.prepend(newRow(id, row, cells(row)));
    body.prepend(added);
    const shown = body.getElementsByClassName("row");
    while (shown.length > body.dataset.most) body.lastChild.remove();
    body.closest(".scroll").hidden = false;
    element(`no-${id}`).hidden = true;
  }

  function newRow(id, row, [title, last]) {
    const line = make("tr", "", "row");
    const opener = make("button");
    opener.type = "button";
    for (const part of title.split(/(?<=\/)/)) opener.append(part, make("wbr")); // a path breaks at its slashes
    opener.setAttribute("aria-expanded", "false");
    const opens = make("td");
    opens.append(opener);
    const result = make("td", "", "r");
    result.append(make("span", row.result, row.ok ? "badge" : "badge bad"));
    line.append(make("td", row.at, "t"), opens, result, make("td", row.openid, "o"), make("td", last, "m"));
    line.addEventListener("click", ({ target }) => {
      if (target !== opener && document.getSelection().toString()) return; // somebody copies a text
      toggle(id === "calls" ? "call" : "push", row.id, line, opener);
    });
    return line;
  }

  const callCells = ({ method, path, ms }) => [`${method} ${path}`, `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`];
  const pushCells = ({ said, attempt }) => [said || "…", String(attempt)];

  async function toggle(name, id, line, opener) {
    const open = opener.getAttribute("aria-expanded") === "true";
    opener.setAttribute("aria-expanded", String(!open));
    if (open) {
      line.nextElementSibling.remove();
      return;
    }
    const full = make("tr", "", "full");
    const cell = make("td");
    cell.colSpan = 5;
    full.append(cell);
    line.after(full);
    cell.append(await details(name, id));
    reveal(line, full);
  }

  function reveal(line, full) {
    const scroller = line.closest(".scroll");
    const room = line.getBoundingClientRect().top - scroller.querySelector("th").getBoundingClientRect().bottom;
    const hidden = full.getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom;
    if (hidden > 0) scroller.scrollTop += Math.min(room, hidden);
  }

  async function details(name, id) {
    const parts = make("div", "", "parts");
    try {
      const reply = await fetch(address(name, { id }));
      const told = await reply.json();
      if (!reply.ok) return make("p", told.error, "note");
      for (const [title, text, kind] of told) {
        const part = make("div", "", kind);
        part.append(make("h3", title), make(kind === "code" ? "pre" : "p", text));
        if (kind === "code") part.lastChild.tabIndex = 0; // so that a keyboard can scroll it
        parts.append(part);
      }
    } catch {
      return make("p", element("lost").textContent, "note");
    }
    return parts;
  }

  // --- what is done

  element("hand").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = element("text").value;
    element("text").value = "";
    if (text.trim()) act({ action: "says", openid: known.openid, text });
  });
  element("add").addEventListener("submit", async (event) => {
    event.preventDefault();
    const openid = element("openid").value.trim();
    if (!openid || !(await act({ action: "add", openid }))) return;
    element("openid").value = "";
    filter();
    choose(openid);
    element("text").focus();
  });
  element("openid").addEventListener("input", filter);
  for (const button of document.querySelectorAll("[data-does]")) {
    button.addEventListener("click", () => act({ action: button.dataset.does, openid: known.openid }));
  }
  for (const button of document.querySelectorAll("[data-seconds]")) {
    button.addEventListener("click", () => act({ action: "advance", seconds: Number(button.dataset.seconds) }));
  }
  element("pick").addEventListener("click", () => element("file").click());
  element("file").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    if (file.size > target.dataset.limit) element("wrong").textContent = target.dataset.tooLarge;
    else post("picture", { openid: known.openid }, file);
    target.value = "";
  });
  element("faults").addEventListener("submit", (event) => {
    event.preventDefault();
    const fault = JSON.parse(element("fault").value);
    act({ action: "fail", ...fault, times: Number(element("times").value) });
  });
  element("clear").addEventListener("click", () => act({ action: "clear" }));

  // --- settings

  function remember() {
    const place = `#${new URLSearchParams({ account: element("account").value, openid: known.openid })}`;
    history.replaceState(null, "", place);
    const other = element("language");
    other.href = `?lang=${other.hreflang}${place}`;
  }

  function start() {
    const place = new URLSearchParams(location.hash.slice(1));
    const account = element("account");
    if ([...account.options].some(({ value }) => value === place.get("account"))) account.value = place.get("account");
    account.addEventListener("change", () => {
      for (const id of ["people", "calls", "pushes"]) element(id).replaceChildren();
      for (const id of ["calls", "pushes"]) {
        element(id).closest(".scroll").hidden = true;
        element(`no-${id}`).hidden = false;
      }
      customers.clear();
      known.since = 0;
      choose("");
      element("nobody").hidden = false;
    });
    const theme = element("theme");
    theme.addEventListener("change", () => {
      html.style.colorScheme = theme.value;
      sessionStorage.setItem("theme", theme.value);
    });
    theme.value = sessionStorage.getItem("theme") || theme.value;
    html.style.colorScheme = theme.value;
    known.openid = place.get("openid") || "";
    if (known.openid) choose(known.openid);
    listen();
  }

  start();
}
