/** JSON as QEMU 7.2 prints it: a space after each colon and comma, ASCII only, `\uXXXX` in upper-case hexadecimal. */
export function renderQemuJson(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return renderString(value);
  if (typeof value === 'number' || typeof value === 'bigint') return renderNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(renderQemuJson).join(', ')}]`;
  if (typeof value !== 'object') throw new TypeError(`No JSON for a value of type "${typeof value}"`);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${renderString(key)}: ${renderQemuJson(member)}`);
  return `{${members.join(', ')}}`;
}

/** QEMU holds integers from -2^63 to 2^64-1; all else is a double, printed with `%.17g`. */
function renderNumber(value: number | bigint): string {
  const isInteger = typeof value === 'bigint' || Number.isInteger(value);
  if (isInteger && BigInt(value) >= -(2n ** 63n) && BigInt(value) < 2n ** 64n) return String(BigInt(value));
  if (!Number.isFinite(Number(value))) return Number(value) > 0 ? 'inf' : '-inf';
  const digits = Number(value).toPrecision(17);
  if (!digits.includes('e')) return digits.replace(/\.?0+$/, '');
  return digits.replace(/\.?0+e/, 'e').replace(/e([+-])(\d)$/, 'e$10$2');
}

function renderString(text: string): string {
  // JSON.stringify has the same short escapes as QEMU; the rest differs in case, and in what is escaped.
  return JSON.stringify(text).replace(/\\\\|\\u[0-9a-f]{4}|[\u007f-\uffff]/g, (found) => {
    if (found === '\\\\') return found;
    const hex = found.length === 6 ? found.slice(2) : found.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${hex.toUpperCase()}`;
  });
}
