// Graphs: bars that add up, or lines. A drag chooses a range, a click a series.
import { button, el } from "./dom.js";
import { css, figure, seriesColour } from "./format.js";

const HATCHED = new Set(["error", "critical", "fatal", "fail", "crash", "lost"]);
const MOST_IN_TIP = 12;
const POWERS = Array.from({ length: 50 }, (_, power) => 2 ** power);

function hatch(context, colour) {
  // Errors are hatched: a colour alone says nothing to one in twelve men.
  const tile = el("canvas", { width: 6, height: 6 }), pen = tile.getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 6, 6);
  pen.strokeStyle = "rgb(255 255 255 / 55%)";
  pen.beginPath();
  pen.moveTo(-1, 7);
  pen.lineTo(7, -1);
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

function stacked(series) {
  // Cumulated from the first at the bottom, given from the top down: the taller is drawn first.
  const sums = [];
  let below = null;
  for (const one of series) {
    below = one.values.map((value, at) => (value || 0) + (below ? below[at] : 0));
    sums.unshift(below);
  }
  return sums;
}

function moment(seconds, increment) {
  const date = new Date(seconds * 1000), atMidnight = date.getHours() + date.getMinutes() + date.getSeconds() === 0;
  if (increment >= 86400 || atMidnight) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: increment < 60 ? "2-digit" : undefined });
}

export class Graph {
  // holder: an element; its height is that of the graph.
  constructor(holder, { onRange, onSeries, height = 150 } = {}) {
    this.canvas = el("div", { class: "canvas", role: "img" });
    this.tip = el("div", { class: "tip", hidden: true });
    this.legend = el("div", { class: "legend" });
    holder.replaceChildren(this.canvas, this.tip, this.legend);
    Object.assign(this, { holder, onRange, onSeries, height });
    this.sizes = new ResizeObserver(() => this.plot && this.plot.setSize(this.size()));
    this.sizes.observe(holder);
    // A graph keeps the colours that it was drawn with.
    this.redraw = () => this.data && this.draw(this.data, this.how);
    addEventListener("theme", this.redraw);
  }

  close() {
    // uPlot listens to the window: a wall that is drawn anew each minute would collect graphs.
    this.sizes.disconnect();
    removeEventListener("theme", this.redraw);
    this.plot?.destroy();
  }

  size() {
    const taken = this.legend.offsetHeight + 4;
    const height = this.height || Math.max(90, this.holder.clientHeight - taken);
    return { width: Math.max(120, this.holder.clientWidth - 4), height };
  }

  draw(data, how = {}) {
    const { bars = true, unit = "short", colour, label, connected = false, isStacked = bars, click } = how;
    this.series = data.series.map((one, number) => ({
      ...one,
      colour: colour ? colour(one.name) : seriesColour(one.name, number, one.colour),
      total: one.values.reduce((sum, value) => sum + (value || 0), 0),
    }));
    Object.assign(this, { data, how, unit, isStacked, click });
    this.showLegend(bars);
    this.canvas.setAttribute("aria-label", this.words(label, bars));
    if (this.plot) this.plot.destroy();
    const order = isStacked ? [...this.series].reverse() : this.series;
    const values = isStacked ? stacked(this.series) : this.series.map((one) => one.values);
    this.sums = values;
    this.plot = new uPlot(this.options(order, bars, connected), [data.times, ...values], this.canvas);
    this.plot.over.addEventListener("click", (event) => this.clicked(event));
    this.plot.over.addEventListener("mouseleave", () => { this.tip.hidden = true; });
  }

  options(order, bars, connected) {
    const grid = { stroke: css("line"), width: 1 }, stroke = css("soft"), font = "12px system-ui, sans-serif";
    const { times, step } = this.data;
    const shape = bars
      ? { paths: uPlot.paths.bars({ size: [0.9, 90, 1], align: 1 }), width: 0, points: { show: false } }
      : { width: 2, points: { size: 4 }, spanGaps: connected };
    return {
      ...this.size(),
      padding: [8, 22, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: Boolean(this.onRange), y: false, setScale: false }, points: { show: !bars } },
      scales: {
        x: { range: [times[0], times[times.length - 1] + step] },
        y: { range: (_, low, high) => [Math.min(0, low || 0), high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        { stroke, grid: { show: false }, ticks: { ...grid, size: 4 }, font, size: 26, gap: 4, space: 74,
          values: (_, splits, axis, space, increment) => splits.map((one) => moment(one, increment)) },
        { stroke, grid, ticks: grid, font, size: 64, space: 26, incrs: this.unit === "bytes" ? POWERS : undefined, values: (_, splits) => splits.map((one) => figure(one, this.unit)) },
      ],
      series: [{}, ...order.map((one) => ({
        label: one.name,
        stroke: one.colour,
        fill: bars ? (plot) => (HATCHED.has(one.name) ? hatch(plot.ctx, one.colour) : one.colour) : undefined,
        ...shape,
      }))],
      hooks: {
        setCursor: [(plot) => this.point(plot)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  showLegend(bars) {
    this.legend.replaceChildren(...this.series.map((one) => {
      const swatch = el("span", { class: "swatch" });
      swatch.style.background = one.colour;
      const inside = [swatch, el("span", { class: "name", text: one.name }),
        bars && el("span", { class: "soft", text: figure(one.total, this.unit) })];
      if (one.link) return el("a", { href: one.link }, inside);
      if (!this.onSeries) return el("span", {}, inside);
      const made = button("", () => this.onSeries(one.name), { title: `Only ${one.name}` });
      made.append(...inside.filter(Boolean));
      return made;
    }));
  }

  words(label, bars) {
    const told = this.series.slice(0, MOST_IN_TIP).map((one) => {
      const last = one.values.findLast((value) => value !== null);
      return `${one.name} ${figure(bars ? one.total : last, this.unit)}`;
    });
    return `${label}: ${told.join(", ") || "no values"}`;
  }

  point(plot) {
    const { idx, left, top } = plot.cursor;
    if (idx === null || idx === undefined || left < 0) {
      this.tip.hidden = true;
      return;
    }
    const there = this.series.map((one) => ({ ...one, value: one.values[idx] })).filter((one) => one.value);
    there.sort((one, other) => other.value - one.value);
    const moment = new Date(this.data.times[idx] * 1000).toLocaleString("en-GB", {
      day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const rows = there.slice(0, MOST_IN_TIP).map((one) => {
      const swatch = el("span", { class: "swatch" });
      swatch.style.background = one.colour;
      return el("div", {}, swatch, el("span", { text: one.name }), el("span", { class: "value", text: figure(one.value, this.unit) }));
    });
    this.tip.replaceChildren(el("div", { class: "soft", text: moment }), ...rows);
    this.tip.hidden = false;
    const over = plot.over.getBoundingClientRect(), home = this.holder.getBoundingClientRect();
    const x = over.left - home.left + left, flip = x > home.width / 2;
    this.tip.style.left = flip ? "auto" : `${x + 14}px`;
    this.tip.style.right = flip ? `${home.width - x + 14}px` : "auto";
    this.tip.style.top = `${Math.max(0, over.top - home.top + top - 20)}px`;
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 5 || !this.onRange) return;
    const ends = [left, left + width].map((at) => Math.round(plot.posToVal(at, "x") * 1000));
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.dragged = true;
    this.onRange(...ends);
  }

  clicked(event) {
    if (this.dragged) {
      this.dragged = false;
      return;
    }
    const { idx } = this.plot.cursor, { top } = this.plot.over.getBoundingClientRect();
    if (idx === null || idx === undefined) return;
    const value = this.plot.posToVal(event.clientY - top, "y");
    const number = this.isStacked
      ? this.series.length - 1 - this.sums.findLastIndex((sum) => sum[idx] >= value)
      : this.nearest(idx, value);
    const hit = this.series[number];
    if (!hit) return;
    if (hit.link) this.click?.(hit.link);
    else this.onSeries?.(hit.name);
  }

  nearest(idx, value) {
    const gaps = this.series.map((one) => (one.values[idx] === null ? Infinity : Math.abs(one.values[idx] - value)));
    const least = Math.min(...gaps);
    return Number.isFinite(least) ? gaps.indexOf(least) : -1;
  }
}
