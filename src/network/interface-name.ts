/** Longest name of a network interface: IFNAMSIZ of Linux less its final NUL. */
export const INTERFACE_NAME_MAX_BYTES = 15;

/** Whether Linux takes the text as the name of an interface (dev_valid_name of net/core/dev.c), and `ip` as a word. */
export function isInterfaceName(name: string): boolean {
  if (name === '.' || name === '..' || Buffer.byteLength(name) > INTERFACE_NAME_MAX_BYTES) return false;
  // A dash in front is an option to ip(8), a quote or backslash is read by its batch mode, and "%" is a number to be filled in.
  return /^[^\s/:%"'\\#-][^\s/:%"'\\#]*$/u.test(name);
}
