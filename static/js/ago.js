// Keeps relative times true, by the server's clock: its moment is in <meta name="now">, the browser's may be wrong.
const ahead = Date.parse(document.querySelector("meta[name=now]").content) - Date.now();
const now = () => Date.now() + ahead;
const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
const steps = [[86400, 86400], [14400, 3600], [60, 60], [0, 1]];

export function relative(seconds) {
  let size = Math.abs(seconds);
  if (size < 1) return "now";
  if (seconds > 0) {
    const [, step] = steps.find(([least]) => size >= least);
    size = Math.floor((size + step / 2) / step) * step;
  }
  const [unit, length] = units.find(([, length]) => size >= length);
  const count = Math.floor(size / length);
  const rest = unit === "h" && count < 4 ? Math.floor((size % 3600) / 60) : 0;
  const words = `${count} ${unit}` + (rest ? ` ${rest} min` : "");
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

function tick() {
  for (const time of document.querySelectorAll("time.ago")) {
    const words = relative((Date.parse(time.dateTime) - now()) / 1000);
    if (time.firstChild.data !== words) time.firstChild.data = words;
  }
}
tick();
setInterval(tick, 1000);
