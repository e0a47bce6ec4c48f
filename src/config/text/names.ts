/** Names of machines, short and long: they become file, folder, unit and guest names. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;

/** What {@link NAME_PATTERN} allows, for messages. */
export const NAME_RULE = 'a name has 1 to 40 letters, digits, "_", "." or "-" and starts with a letter or digit';

/** Whether a machine can be called that. */
export function isValidName(name: string): boolean {
  return NAME_PATTERN.test(name);
}
