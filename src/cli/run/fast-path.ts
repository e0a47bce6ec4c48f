/** A call that needs no argument parser. */
export interface PlainCall {
  readonly action: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * Recognises the most common calls of scripts, units and people: an action, names, and options from a short list. The
 * result is that of the argument parser, without loading it, which would double the time of such a call. Everything
 * else, above all mistakes, is left to the parser.
 *
 * @param actions actions that take any number of names, with the flags that may be given plainly.
 */
export function plainCall(
  argv: readonly string[],
  actions: Readonly<Record<string, readonly string[]>>,
): PlainCall | undefined {
  // Scripts often give the folder before the action.
  const isRootFirst = argv[0] === '--root' && argv[1] !== undefined && !argv[1].startsWith('-');
  const [action = '', ...rest] = isRootFirst ? [...argv.slice(2), ...argv.slice(0, 2)] : argv;
  const flags = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!flags) return undefined;
  const ids: string[] = [];
  const args: Record<string, unknown> = {};
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? '';
    if (!word.startsWith('-')) {
      ids.push(word);
      continue;
    }
    const name = word.slice(2);
    if (Object.hasOwn(args, name)) return undefined;
    if (word === '--root') {
      const dir = rest[++at];
      if (dir === undefined || dir.startsWith('-')) return undefined;
      args['root'] = dir;
    } else if (flags.includes(word)) args[name] = true;
    else return undefined;
  }
  if (args['all'] === true && ids.length > 0) return undefined;
  if ([args['root'], args['system'], args['user']].filter((each) => each !== undefined).length > 1) return undefined;
  return { action, args: { ...args, ids } };
}
