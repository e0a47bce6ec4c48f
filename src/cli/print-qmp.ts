/**
 * A QMP answer as JSON text. Integers past 2^53, which the client gives as bigint, are printed digit by digit.
 */
export function printQmp(value: unknown): string {
  const digits: string[] = [];
  const text = JSON.stringify(
    value,
    (_, each: unknown) => (typeof each === 'bigint' ? `\u0000${digits.push(String(each)) - 1}\u0000` : each),
    2,
  );
  return (text ?? 'null').replace(/"\\u0000(\d+)\\u0000"/g, (_, at: string) => digits[Number(at)] ?? '0');
}
