/** A command of `qemu-init agent ID`. */
export interface AgentCommandSpec {
  /** The words that it takes, as in texts: `FILE [LOCAL]`. */
  readonly words: string;
  readonly describe: string;
}

/** The commands, in the order of the help text. */
export const AGENT_COMMANDS = {
  ping: { words: '', describe: 'Whether it answers' },
  info: { words: '', describe: 'Its version and commands' },
  addresses: { words: '', describe: 'Network interfaces and addresses' },
  users: { words: '', describe: 'Who is logged in' },
  fs: { words: '', describe: 'Mounted file systems' },
  time: { words: '[set]', describe: 'The clock of the guest; set: take over that of the host' },
  freeze: { words: '', describe: 'Keep the guest from writing to its file systems, until thaw or stop' },
  thaw: { words: '', describe: 'Let it write again' },
  shutdown: { words: '[reboot|halt]', describe: 'Ask the guest to shut down, without waiting' },
  exec: { words: '-- PROGRAM [ARG...]', describe: 'Run a program; its output and exit status are passed on' },
  get: { words: 'FILE [LOCAL]', describe: 'Copy a file from the guest (default: to standard output)' },
  put: { words: 'LOCAL FILE', describe: 'Copy a file into the guest (-: standard input)' },
  passwd: { words: 'USER', describe: 'Set a password, read from the terminal or standard input' },
} as const satisfies Readonly<Record<string, AgentCommandSpec>>;

export type AgentCommandName = keyof typeof AGENT_COMMANDS;

/** How many words a usage such as `FILE [LOCAL]` asks for. Pure. */
export function wordsAllowed(usage: string): { readonly least: number; readonly most: number } {
  const words = usage.split(' ').filter((word) => word !== '' && word !== '--');
  const least = words.filter((word) => !word.startsWith('[')).length;
  return { least, most: usage.includes('...') ? Number.POSITIVE_INFINITY : words.length };
}
