/** An element with attributes and children; text is always text. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Sets a text only when it has changed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function size(bytes) {
  if (bytes === null || bytes === undefined) return '';
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function rate(bytes) {
  return bytes === null || bytes === undefined ? '' : `${size(bytes)}/s`;
}

export function percent(value) {
  return value === null || value === undefined ? '' : `${value.toFixed(value >= 10 ? 0 : 1)} %`;
}

export function uptime(startSeconds) {
  if (!startSeconds) return '';
  const seconds = Math.max(0, Math.floor(Date.now() / 1000 - startSeconds));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${seconds % 60} s`;
}

const GOOD = ['running'];
const OFF = ['stopped', 'saved'];
const BAD = ['dead', 'unresponsive', 'io-error', 'internal-error', 'guest-panicked'];

/** How a state is shown: never by its colour alone. */
export function stateClass(state) {
  if (GOOD.includes(state)) return 'state good';
  if (OFF.includes(state)) return 'state';
  return BAD.includes(state) ? 'state bad' : 'state warn';
}
