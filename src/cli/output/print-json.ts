/**
 * A value as JSON text. Undefined members become null, so that every key is always there; integers past 2^53, which the
 * QMP client gives as bigint, or as a number when that is exact, are printed digit by digit.
 *
 * @param space blanks a level; 0 for one line.
 */
export function printJson(value: unknown, space = 2): string {
  const digits: string[] = [];
  // Unique to this call, so that text of a guest cannot be mistaken for a mark.
  const mark = `bigint ${String(Math.random()).replace(/\W/g, '')} `;
  const text = JSON.stringify(
    value,
    (_, each: unknown) => {
      if (each === undefined) return null;
      return isLongInteger(each) ? `${mark}${digits.push(String(BigInt(each))) - 1}` : each;
    },
    space,
  );
  if (digits.length === 0) return text;
  return text.replace(new RegExp(`"${mark}(\\d+)"`, 'g'), (_, at: string) => digits[Number(at)] ?? '0');
}

/**
 * Whether `JSON.stringify` would refuse the value or, with its shortest digits, print another one: 2^60 ends in 7000
 * there.
 */
function isLongInteger(value: unknown): value is bigint | number {
  return typeof value === 'bigint' || (Number.isInteger(value) && !Number.isSafeInteger(value));
}
