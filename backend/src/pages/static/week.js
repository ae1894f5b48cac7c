// Drag over open hours to choose when a slot begins and ends. Their links do so without a script.
const LEAST = 5;
const minutes = (time) => 60 * time.slice(0, 2) + Number(time.slice(3));
const words = (at) => [Math.floor(at / 60), at % 60].map((part) => String(part).padStart(2, "0")).join(":");
const hours = [...document.querySelectorAll(".week td.open a")].map((link) => {
  const query = new URL(link.href).searchParams;
  const [begin, end] = [query.get("from"), link.dataset.until].map(minutes);
  return { link, cell: link.parentElement, date: query.get("date"), begin, end };
});
let drag = null;

const timeAt = ({ cell, begin, end }, y) => {
  const { top, height } = cell.getBoundingClientRect();
  const part = Math.min(1, Math.max(0, (y - top) / height));
  return LEAST * Math.round((begin + part * (end - begin)) / LEAST);
};

// The open hours before and after one, as far as there is no gap.
const around = (hour) => {
  const day = hours.filter(({ date }) => date === hour.date).sort((one, other) => one.begin - other.begin);
  let first = day.indexOf(hour);
  let last = first;
  while (day[first - 1]?.end === day[first].begin) first -= 1;
  while (day[last + 1]?.begin === day[last].end) last += 1;
  return day.slice(first, last + 1);
};

const extend = (y) => {
  const hour = drag.around.find(({ cell }) => y < cell.getBoundingClientRect().bottom) ?? drag.around.at(-1);
  [drag.from, drag.until] = [drag.start, timeAt(hour, y)].sort((one, other) => one - other);
  const { left, width } = hour.cell.getBoundingClientRect();
  const place = { left, width, top: Math.min(drag.y, y), height: Math.abs(y - drag.y) };
  for (const [name, pixels] of Object.entries(place)) drag.mark.style[name] = `${pixels}px`;
  drag.mark.textContent = `${words(drag.from)}\u2013${words(drag.until)}`;
};

const stop = () => {
  drag?.mark.remove();
  drag = null;
};

addEventListener("dragstart", (event) => drag && event.preventDefault());
addEventListener("pointerdown", ({ target, button, pointerType, clientY: y }) => {
  const hour = hours.find(({ cell }) => cell.contains(target));
  if (!hour || button !== 0 || pointerType === "touch") return;
  const mark = Object.assign(document.createElement("div"), { className: "dragged" });
  drag = { hour, mark, y, start: timeAt(hour, y), around: around(hour) };
});
addEventListener("pointermove", ({ clientY: y }) => {
  if (!drag || (!drag.mark.isConnected && Math.abs(y - drag.y) < 6)) return;
  document.body.append(drag.mark);
  extend(y);
});
addEventListener("pointerup", () => {
  const done = drag;
  stop();
  if (!(done?.until > done?.from)) return;
  const address = new URL(done.hour.link);
  address.searchParams.set("from", words(done.from));
  address.searchParams.set("until", words(done.until));
  addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true });
  location.assign(address);
});
addEventListener("pointercancel", stop);
addEventListener("keydown", ({ key }) => key === "Escape" && stop());
