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
  /^Could not open /,
  /^No CPU available$/,
];
