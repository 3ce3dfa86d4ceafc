// An endless list in flat memory: pages far from what is seen are emptied, and keep their height.
import { el } from "./dom.js";
import { rowOf } from "./rows.js";

const KEPT_PX = 2500;
const MOST_LIVE = 1000;

export class EndlessList {
  // fetchPage(before): a promise of {rows, next}; before is null for the first page.
  constructor(holder, fetchPage, query) {
    this.fetchPage = fetchPage;
    this.query = query;
    this.opened = new Set();
    this.live = el("ol", { class: "lines" });
    this.pages = el("div");
    this.more = el("p", { class: "more", text: "Loading…" });
    holder.replaceChildren(this.live, this.pages, this.more);
    this.near = new IntersectionObserver((seen) => seen.forEach((one) => this.moved(one)), { rootMargin: `${KEPT_PX}px` });
    this.end = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.grow(), { rootMargin: "900px" });
    this.next = null;
    this.busy = false;
    this.done = false;
  }

  start(first) {
    this.add(first, null);
    this.end.observe(this.more);
  }

  stop() {
    this.near.disconnect();
    this.end.disconnect();
    this.done = true;
  }

  add({ rows, next }, before) {
    const page = el("ol", { class: "lines" }, rows.map((row) => rowOf(row, this.query, this.opened)));
    page.before = before;
    page.filled = true;
    this.pages.append(page);
    this.near.observe(page);
    this.next = next;
    this.more.textContent = next ? "Loading…" : rows.length || before ? "No older lines in this time." : "";
  }

  async grow() {
    if (this.busy || this.done || !this.next) return;
    this.busy = true;
    try {
      const before = this.next;
      const page = await this.fetchPage(before);
      if (!this.done) this.add(page, before);
    } catch {
      this.more.textContent = "The next lines did not come. Scroll to try again.";
    } finally {
      this.busy = false;
    }
    // An observer speaks up only when something changes: it looks anew.
    this.end.unobserve(this.more);
    if (!this.done) this.end.observe(this.more);
  }

  async moved({ target, isIntersecting }) {
    if (!isIntersecting && target.filled && target.childElementCount) {
      target.style.height = `${target.offsetHeight}px`;
      target.replaceChildren();
      target.filled = false;
    } else if (isIntersecting && !target.filled) {
      target.filled = true;
      const { rows } = await this.fetchPage(target.before).catch(() => ({ rows: null }));
      if (!rows) {
        target.filled = false;
        return;
      }
      target.replaceChildren(...rows.map((row) => rowOf(row, this.query, this.opened)));
      target.style.height = "";
    }
  }

  addLive(rows) {
    // The newest come last, and stand first.
    for (const row of rows.slice(-MOST_LIVE)) {
      const item = rowOf(row, this.query, this.opened);
      item.classList.add("fresh");
      this.live.prepend(item);
    }
    while (this.live.childElementCount > MOST_LIVE) this.live.lastElementChild.remove();
    if (this.live.childElementCount === MOST_LIVE && this.pages.childElementCount) {
      this.pages.replaceChildren();
      this.next = null;
      this.more.textContent = "The newest thousand lines. Stop the tail for older ones.";
    }
  }
}

export function moveIn(holder, by) {
  // j and k: the next row, or the one before.
  const rows = [...holder.querySelectorAll(".row")];
  const now = rows.findIndex((row) => row.parentElement.classList.contains("chosen"));
  const row = rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))];
  if (!row) return;
  rows[now]?.parentElement.classList.remove("chosen");
  row.parentElement.classList.add("chosen");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
