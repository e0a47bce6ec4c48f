/**
 * The sentence with which the human monitor refused a command, or undefined when its text is a result. QMP reports such
 * a command as a success, so there is only the text to go by; sentences of QEMU 7.2, measured.
 */
export function findHmpError(text: string): string | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // The parser of the command line says what is wrong on the line before.
  const advice = lines.findIndex((line) => /^Try "help .*" for more information$/.test(line));
  if (advice > 0) return lines[advice - 1];
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
  /^invalid host forwarding rule /,
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
