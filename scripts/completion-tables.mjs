/** The parts of the completions that are made of the tables of actions and options. Each stands between `# begin NAME` and `# end`. */

/** Values that are paths. */
const PATHS = new Set(['DIR', 'FILE', 'QEMU']);

/** @param tables what scripts/man-tables.mjs has loaded. Gives the filled text of a completion file. */
export function completionFiller(tables) {
  const common = tables.recordTable(tables.addCommonOptions).options;
  const all = tables.ACTIONS.map(({ command, describe, options, verbs = [], commands = {} }) => ({
    name: nameOf(command),
    commands: Object.entries(commands).map(([name, spec]) => ({ name, describe: spec.describe })),
    describe,
    options: optionsOf(tables, options),
    verbs: verbs.map((verb) => ({ name: nameOf(verb.command), describe: verb.describe })),
  }));
  const netif = tables.COMMANDS.map(({ command, describe, options, verbs = [] }) => ({
    name: nameOf(command),
    describe,
    options: optionsOf(tables, options),
    verbs: verbs.map((verb) => ({
      name: nameOf(verb.command),
      describe: verb.describe,
      options: optionsOf(tables, verb.options),
    })),
  }));
  const netifVerbs = netif.flatMap(({ verbs }) => verbs);
  const nouns = all.filter(({ verbs }) => verbs.length > 0);
  const withCommands = all.filter(({ commands }) => commands.length > 0);
  const withOptions = all.filter(({ options }) => options.length > 0);
  const general = [...common, { name: 'no-color', describe: 'No colour' }, ...HELP];
  const parts = {
    'bash-actions': () => `_qemu_init_actions='${all.map(({ name }) => name).join(' ')}'`,
    'bash-options': () =>
      [
        `    options='${general.map(longOption).join(' ')}'`,
        '    case $action in',
        ...withOptions.map(({ name, options }) => `      ${name}) options+=' ${options.map(longOption).join(' ')}' ;;`),
        '    esac',
      ].join('\n'),
    'bash-verbs': () =>
      [
        '  case $action in',
        ...nouns.map(({ name, verbs }) => `    ${name}) verbs='${verbs.map((verb) => verb.name).join(' ')}' ;;`),
        '  esac',
      ].join('\n'),
    'bash-commands': () =>
      [
        '  case $action in',
        ...withCommands.map(
          ({ name, commands }) => `    ${name}) words='${commands.map((each) => each.name).join(' ')}' ;;`,
        ),
        '  esac',
      ].join('\n'),
    'zsh-actions': () => zshList('actions', all),
    'zsh-options': () =>
      [
        zshList('flags', general.map(asOption)),
        'case $words[2] in',
        ...withOptions.map(
          ({ name, options }) => `  ${name}) flags+=(${zshItems(options.map(asOption)).join(' ')}) ;;`,
        ),
        'esac',
      ].join('\n'),
    'zsh-verbs': () =>
      [
        'verbs=()',
        'case $words[2] in',
        ...nouns.map(({ name, verbs }) => `  ${name}) verbs=(${zshItems(verbs).join(' ')}) ;;`),
        'esac',
      ].join('\n'),
    'zsh-commands': () =>
      [
        'commands=()',
        'case $words[2] in',
        ...withCommands.map(({ name, commands }) => `  ${name}) commands=(${zshItems(commands).join(' ')}) ;;`),
        'esac',
      ].join('\n'),
    'zsh-netif': () => indented(zshList('actions', netif)),
    'zsh-netif-verbs': () => indented(zshList('verbs', netifVerbs)),
    'fish-netif': () =>
      [
        `set --local commands ${netif.map(({ name }) => name).join(' ')}`,
        ...netif.map((item) => fishWord('"not __fish_seen_subcommand_from $commands"', item, 'qemu-netif')),
        ...netifVerbs.map((item) =>
          fishWord(
            `'__fish_seen_subcommand_from bridge; and not __fish_seen_subcommand_from ${netifVerbs.map(({ name }) => name).join(' ')}'`,
            item,
            'qemu-netif',
          ),
        ),
        ...general.map((option) => fishOption(tables, option, '', 'qemu-netif')),
        ...[...netif, ...netifVerbs].flatMap(({ name, options }) =>
          options.map((option) =>
            fishOption(tables, option, ` --condition '__fish_seen_subcommand_from ${name}'`, 'qemu-netif'),
          ),
        ),
      ].join('\n'),
    'fish-actions': () =>
      [
        `set --local actions ${all.map(({ name }) => name).join(' ')}`,
        ...all.map((item) => fishWord('"not __fish_seen_subcommand_from $actions"', item)),
      ].join('\n'),
    'fish-verbs': () =>
      nouns
        .flatMap(({ name, verbs }) => {
          const names = verbs.map((verb) => verb.name).join(' ');
          const condition = `'__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${names}'`;
          return verbs.map((verb) => fishWord(condition, verb));
        })
        .join('\n'),
    'fish-commands': () =>
      withCommands
        .flatMap(({ name, commands }) => {
          const condition = `'__fish_seen_subcommand_from ${name}; and test (count (commandline -opc)) -eq 3'`;
          return commands.map((each) => fishWord(condition, each));
        })
        .join('\n'),
    'fish-options': () => {
      const own = withOptions.flatMap(({ name, options }) =>
        options.map((option) => fishOption(tables, option, ` --condition '__fish_seen_subcommand_from ${name}'`)),
      );
      return [...general.map((option) => fishOption(tables, option, '')), ...own].join('\n');
    },
  };
  return (text) =>
    text.replaceAll(
      /(^ *# begin (\S+)\n).*?(^ *# end$)/gms,
      (_, begin, name, end) => `${begin}${parts[name]()}\n${end}`,
    );
}

const HELP = [
  { name: 'help', alias: 'h', describe: 'Show the help' },
  { name: 'version', describe: 'Show the version' },
];

function optionsOf(tables, options) {
  return options ? tables.recordTable(options).options : [];
}

function indented(text) {
  return text.replaceAll(/^/gm, '      ');
}

function nameOf(command) {
  return command.split(' ')[0];
}

/** What is on by itself is there to be switched off. */
function shownName({ name, default: value }) {
  return value === true ? `no-${name}` : name;
}

function longOption(option) {
  return `--${shownName(option)}`;
}

function asOption(option) {
  return { name: longOption(option), describe: option.describe };
}

function zshList(name, items) {
  return [`${name}=(`, ...zshItems(items).map((item) => `  ${item}`), ')'].join('\n');
}

function zshItems(items) {
  return items.map(({ name, describe }) => `'${`${name}:${describe}`.replaceAll("'", "'\\''")}'`);
}

function fishQuoted(text) {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function fishWord(condition, { name, describe }, tool = 'qemu-init') {
  return `complete --command ${tool} --condition ${condition} --arguments ${name} --description ${fishQuoted(describe)}`;
}

function fishOption(tables, option, condition, tool = 'qemu-init') {
  const { alias, requiresArg, describe } = option;
  const files = PATHS.has(tables.valueWord(option)) ? ' --force-files' : '';
  const value = requiresArg ? ` --require-parameter${files}` : '';
  const short = alias === undefined ? '' : ` --short-option ${alias}`;
  return `complete --command ${tool}${condition} --long-option ${shownName(option)}${short}${value} --description ${fishQuoted(describe)}`;
}
