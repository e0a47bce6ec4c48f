import type { TopRow } from './row.ts';

/** Columns that rows can be sorted by, and the key that chooses each. */
export const SORTS = { c: 'cpu', m: 'memory', d: 'disk', n: 'network', u: 'uptime', a: 'name', s: 'state' } as const;

export type Sort = (typeof SORTS)[keyof typeof SORTS];

/** What the user has chosen to see. */
export interface View {
  readonly sort: Sort;
  readonly reversed: boolean;
  /** Part of a name; only such machines are shown. */
  readonly filter: string;
  /** Whether the next keys are part of the filter. */
  readonly isFiltering: boolean;
  /** Long name of the machine under the cursor. */
  readonly selected: string | undefined;
  /** First row that is shown. */
  readonly offset: number;
  /** A question that the next key answers, or a message. */
  readonly prompt: string | undefined;
  /** What "y" does. */
  readonly pending: Command | undefined;
  readonly showsHelp: boolean;
}

/** What a key asks for besides another view. */
export type Command =
  | { readonly kind: 'quit' }
  | { readonly kind: 'console' | 'stop' | 'pause' | 'log' | 'vnc'; readonly name: string };

export const FIRST_VIEW: View = {
  sort: 'cpu',
  reversed: false,
  filter: '',
  isFiltering: false,
  selected: undefined,
  offset: 0,
  prompt: undefined,
  pending: undefined,
  showsHelp: false,
};

/** Rows in the order and the choice of a view. Pure. */
export function visibleRows(rows: readonly TopRow[], { sort, reversed, filter }: View): TopRow[] {
  const wanted = filter.toLowerCase();
  const found = rows.filter(({ sample }) =>
    [sample.name, sample.shortName ?? ''].some((name) => name.toLowerCase().includes(wanted)),
  );
  const sorted = found.toSorted((one, other) => {
    const difference = compare(one, other, sort);
    return difference === 0 ? byName(one, other) : difference;
  });
  return reversed ? sorted.toReversed() : sorted;
}

/** m9 comes before m10. */
function byName(one: TopRow, other: TopRow): number {
  return one.sample.name.localeCompare(other.sample.name, 'en', { numeric: true });
}

function compare(one: TopRow, other: TopRow, sort: Sort): number {
  if (sort === 'name') return byName(one, other);
  if (sort === 'state') return one.sample.state.localeCompare(other.sample.state);
  return numberOf(other, sort) - numberOf(one, sort);
}

/** What a column sorts by; the largest comes first. */
function numberOf({ sample, rates }: TopRow, sort: Exclude<Sort, 'name' | 'state'>): number {
  switch (sort) {
    case 'cpu':
      return rates?.cpuPercent ?? -1;
    case 'memory':
      return sample.running?.residentBytes ?? -1;
    case 'disk':
      return rates ? rates.readBytesPerSecond + rates.writtenBytesPerSecond : -1;
    case 'network':
      return rates ? rates.receivedBytesPerSecond + rates.transmittedBytesPerSecond : -1;
    case 'uptime':
      return sample.running ? -sample.running.startSeconds : Number.NEGATIVE_INFINITY;
  }
}

/** A key: `up`, `down`, `page-up`, `page-down`, `home`, `end`, `enter`, `escape`, `backspace`, `ctrl-c`, or a character. */
export type Key = string;

/**
 * The view after a key, and what the key asks for. Pure.
 *
 * @param shown rows as {@link visibleRows} gives them.
 * @param page rows that fit on the screen.
 */
export function press(
  view: View,
  key: Key,
  shown: readonly TopRow[],
  page: number,
): { readonly view: View; readonly command?: Command | undefined } {
  if (view.pending) {
    const next = { ...view, prompt: undefined, pending: undefined };
    return key === 'y' ? { view: next, command: view.pending } : { view: next };
  }
  if (view.isFiltering) return { view: typed(view, key) };
  const quiet = { ...view, prompt: undefined, showsHelp: false };
  const moved = move(quiet, key, shown, page);
  if (moved) return { view: moved };
  return act(quiet, key, shown, view);
}

function typed(view: View, key: Key): View {
  if (key === 'enter') return { ...view, isFiltering: false };
  if (key === 'escape') return { ...view, isFiltering: false, filter: '' };
  if (key === 'backspace') return { ...view, filter: view.filter.slice(0, -1) };
  return key.length === 1 ? { ...view, filter: view.filter + key, offset: 0 } : view;
}

function move(view: View, key: Key, shown: readonly TopRow[], page: number): View | undefined {
  const names = shown.map(({ sample }) => sample.name);
  const at = Math.max(0, names.indexOf(view.selected ?? ''));
  const steps: Readonly<Record<string, number>> = {
    up: at - 1,
    k: at - 1,
    down: at + 1,
    j: at + 1,
    'page-up': at - page,
    'page-down': at + page,
    home: 0,
    end: names.length - 1,
  };
  const wanted = steps[key];
  if (wanted === undefined) return undefined;
  const next = Math.min(Math.max(0, wanted), Math.max(0, names.length - 1));
  return { ...view, selected: names[next], offset: offsetFor(next, view.offset, page) };
}

/** The first row to show so that the one under the cursor is on the screen. */
export function offsetFor(at: number, offset: number, page: number): number {
  if (at < offset) return at;
  return at >= offset + page ? at - page + 1 : offset;
}

function act(
  view: View,
  key: Key,
  shown: readonly TopRow[],
  before: View,
): { readonly view: View; readonly command?: Command | undefined } {
  const sort = isSortKey(key) ? SORTS[key] : undefined;
  if (sort !== undefined) return { view: { ...view, sort, reversed: sort === view.sort ? !view.reversed : false } };
  const selected = shown.find(({ sample }) => sample.name === view.selected) ?? shown[0];
  const name = selected?.sample.name;
  switch (key) {
    case 'q':
    case 'ctrl-c':
      return { view, command: { kind: 'quit' } };
    case 'escape':
      return before.showsHelp || before.prompt !== undefined ? { view } : { view: { ...view, filter: '' } };
    case '/':
      return { view: { ...view, isFiltering: true } };
    case '?':
    case 'h':
      return { view: { ...view, showsHelp: !before.showsHelp } };
    default:
      return name === undefined ? { view } : forMachine({ ...view, selected: name }, key, name);
  }
}

function forMachine(
  view: View,
  key: Key,
  name: string,
): { readonly view: View; readonly command?: Command | undefined } {
  const kinds: Readonly<Record<string, Exclude<Command['kind'], 'quit' | 'stop'>>> = {
    enter: 'console',
    l: 'log',
    v: 'vnc',
    p: 'pause',
  };
  const kind = kinds[key];
  if (kind !== undefined) return { view, command: { kind, name } };
  if (key !== 'x') return { view };
  return { view: { ...view, prompt: `Stop ${name}? y/n`, pending: { kind: 'stop', name } } };
}

function isSortKey(key: string): key is keyof typeof SORTS {
  return Object.hasOwn(SORTS, key);
}
