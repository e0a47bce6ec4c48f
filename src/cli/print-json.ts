/**
 * A value as JSON text. A member that is not there is null, so that every key always is; integers past 2^53, which the QMP
 * client gives as bigint, are printed digit by digit.
 *
 * @param space blanks a level; 0 for one line.
 */
export function printJson(value: unknown, space = 2): string {
  const digits: string[] = [];
  const text = JSON.stringify(
    value,
    (_, each: unknown) => {
      if (each === undefined) return null;
      return typeof each === 'bigint' ? `${MARK}${digits.push(String(each)) - 1}${MARK}` : each;
    },
    space,
  );
  return text.replace(MARKED, (_, at: string) => digits[Number(at)] ?? '0');
}

/** Stands around the number of a bigint: a character that JSON text has in escaped form only. */
const MARK = '\u0000bigint\u0000';
const MARKED = /"(?:\\u0000)bigint(?:\\u0000)(\d+)(?:\\u0000)bigint(?:\\u0000)"/g;
