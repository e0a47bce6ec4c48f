/** `YYYYMMDD-HHMMSS`; names in this form sort by time. */
const POINT = /^(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})$/;

/** Whether a folder can be that of a point. */
export function isPointName(name: string): boolean {
  const [, year, month, day, hour, minute, second] = POINT.exec(name) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return !Number.isNaN(at) && pointName(new Date(at)) === name;
}

/** The name of the point of that instant, in UTC: unique and in order also when the clocks are set back in autumn. */
export function pointName(at: Date): string {
  const [date = '', time = ''] = at.toISOString().slice(0, 19).split('T');
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}`;
}
