/** Options of all actions that take no value: after any other the next word may be its value. */
const WITHOUT_VALUE = /^--(json|quiet|verbose|debug|(no-)?color|system|user|direct|help|version|all|force|-?)$/;

/** The words of a command line that are neither options nor their values. */
export function wordsOf(argv: readonly string[]): string[] {
  return argv.filter((word, at) => !word.startsWith('-') && !isValue(argv[at - 1]));
}

function isValue(before: string | undefined): boolean {
  return before !== undefined && /^--\w/.test(before) && !before.includes('=') && !WITHOUT_VALUE.test(before);
}

/** Whether a command line asks for help. */
export function isHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).some((word) => word === '--help' || word === '-h');
}
