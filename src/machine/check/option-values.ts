import { quoteComma } from '../../base/text.ts';
/** An option of QEMU among arguments, and what follows it. */
export interface SplitOption {
  /** As written. */
  readonly option: string;
  /** Without dashes. */
  readonly name: string;
  readonly values: readonly string[];
}

/** A line of `[custom]` can hold several options. Pure. */
export function splitOptions(args: readonly string[]): SplitOption[] {
  const found: { option: string; name: string; values: string[] }[] = [];
  for (const arg of args) {
    const last = found.at(-1);
    // The kernel's command line may begin with a dash.
    const isValue =
      last !== undefined && (!/^--?[A-Za-z]/.test(arg) || (last.name === 'append' && !last.values.length));
    if (isValue) last.values.push(arg);
    else found.push({ option: arg, name: arg.replace(/^--?/, ''), values: [] });
  }
  return found;
}

/**
 * `driver,name=value,…` with commas doubled in values, or the same as a JSON object, whose inner objects become `file.filename`:
 * qemu-system(1). What has no name is under `''` when it comes first, and is passed over elsewhere. Pure.
 */
export function readValues(text: string): Map<string, string> {
  const json = text.replace(/^json:/, '');
  if (json.startsWith('{')) return new Map(flatten(parseJson(json), ''));
  const parts = text.replaceAll(',,', '\0').split(',');
  return new Map(
    parts.flatMap((part, at) => {
      const equals = part.indexOf('=');
      if (equals < 0 && at > 0) return [];
      return [[part.slice(0, Math.max(equals, 0)), part.slice(equals + 1).replaceAll('\0', ',')] as const];
    }),
  );
}

/** Writes what {@link readValues} read of a list with commas. */
export function joinValues(values: Iterable<readonly [string, string]>): string {
  return [...values].map(([name, value]) => `${name === '' ? '' : `${name}=`}${quoteComma(value)}`).join(',');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function flatten(value: unknown, name: string): (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null) return name === '' ? [] : [[name, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, name === '' ? key : `${name}.${key}`));
}
