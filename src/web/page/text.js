const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function size(bytes) {
  if (bytes === null || bytes === undefined) return '';
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function rate(bytes) {
  return bytes === null || bytes === undefined ? '' : `${size(bytes)}/s`;
}

export function percent(value) {
  return value === null || value === undefined ? '' : `${value.toFixed(value >= 10 || value === 0 ? 0 : 1)} %`;
}

export function uptime(startSeconds) {
  return startSeconds ? duration(Date.now() / 1000 - startSeconds) : '';
}

/** `3 d 4 h`, `2 h 5 min`, `40 s`. */
export function duration(wanted) {
  const seconds = Math.max(0, Math.floor(wanted));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** `2 hours ago`, by an ISO date. */
export function ago(iso) {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 60) return 'just now';
  const steps = [
    ['minute', 60],
    ['hour', 3600],
    ['day', 86_400],
  ];
  const [unit, length] = steps.findLast(([, each]) => seconds >= each);
  const count = Math.floor(seconds / length);
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

/** The local date and time, to the minute. */
export function moment(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  return date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

const BAD = ['dead', 'unresponsive', 'io-error', 'internal-error', 'guest-panicked'];

/** `good`, `off`, `bad` or `warn`. */
export function kindOfState(state) {
  if (state === 'running') return 'good';
  if (state === 'stopped' || state === 'saved' || state === 'unknown') return 'off';
  return BAD.includes(state) ? 'bad' : 'warn';
}

/** How a state is shown: never by its colour alone. */
export function stateClass(state) {
  return `state ${kindOfState(state)}`;
}
