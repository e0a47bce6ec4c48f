/**
 * What a guest may have switched on and a shell does not switch off, as xterm has it (XTerm Control Sequences): soft
 * reset, mouse, focus and paste reports, the alternate screen, colours, a hidden cursor, other character sets. A terminal
 * that does not know one ignores it.
 */
const RESET = [
  '\u001b[!p',
  ...['1000', '1002', '1003', '1004', '1005', '1006', '1015', '2004', '1047'].map((mode) => `\u001b[?${mode}l`),
  '\u001b[?25h\u001b[?7h\u001b[0m\u001b(B\u000f',
].join('');

/** Makes a terminal usable again after a session in which a guest or QEMU had it. Does nothing for a pipe. */
export function resetTerminal(): void {
  if (process.stdout.isTTY && process.env['TERM'] !== 'dumb') process.stdout.write(RESET);
}
