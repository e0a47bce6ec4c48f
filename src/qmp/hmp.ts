/**
 * The sentence with which the human monitor refused a command, or undefined when its text is a result. QMP reports such
 * a command as a success, so there is only the text to go by; sentences of QEMU 7.2, measured.
 *
 * @param command what was sent. Only it distinguishes two answers: the list that `log` with a wrong item and `help log`
 * print, and the silence with which `info block NAME` passes over a device that does not exist.
 */
export function findHmpError(text: string, command = ''): string | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // The parser of the command line reports the mistake on the line before.
  const advice = lines.findIndex((line) => /^Try "help .*" for more information$/.test(line));
  // It is alone when the sentence went to QEMU's log.
  if (advice >= 0) return lines[Math.max(0, advice - 1)];
  const [, item] = /^\s*log\s+(\S+)/.exec(command) ?? [];
  if (item !== undefined && lines[0]?.startsWith('Log items ')) return `"${item}" is not a list of log items`;
  const [, device] = /^\s*info\s+block\s+(?:-\w+\s+)*([^\s-]\S*)/.exec(command) ?? [];
  if (device !== undefined && lines.length === 0) return `Device '${device}' not found`;
  return lines.find((line) => ERROR_SENTENCES.some((pattern) => pattern.test(line)));
}

/** The text of a human monitor command with plain line feeds. */
export function cleanHmpText(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

const ERROR_SENTENCES: readonly RegExp[] = [
  /^Error: /,
  /^unknown command: /,
  /^Command '.*' not available/,
  /^invalid parameter: /,
  /^Could not /,
  /^Error opening /,
  /^No CPU available$/,
  /^invalid CPU index$/,
  /^Device '.*' not found$/,
  /^Must specify either driver or file$/,
  /^user mode network stack not in use$/,
  /^unrecognized netdev id '/,
  /^[Ii]nvalid host forwarding rule /,
  /^host forwarding rule for .* not found$/,
  /^invalid format$/,
  /^Expected 'password' after '/,
  /^unsupported bus type '/,
  /^Can't hot-add drive to type /,
  /^Too many boot devices for PC$/,
  /^Invalid MCE /,
  /^the device doesn't support pci express\./,
  /^'commit' error for '/,
  /^Path '.*' could not be resolved\.$/,
  /^Input device '.*' is not a mouse$/,
  /^Mouse at index '.*' not found$/,
  /^Audiodev '.*' not found$/,
  /^terminal does not support password prompting$/,
  /^Invalid boot device '/,
  /^unknown event "/,
  /^unexpected option /,
  /^invalid stats target /,
  /^id or pci device path is invalid or device not found\./,
  /^Incorrect period length specified!$/,
  /^[0-9a-f]+: Cannot access memory$/,
  /^No memory is mapped at address 0x/,
  /^Unmapped$/,
  /^(replay must be enabled to seek|replay breakpoints are allowed|setting the breakpoint is allowed)\b/,
];
