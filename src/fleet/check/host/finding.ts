/** One thing that is wrong, or may become so. */
export interface Finding {
  /** `error`: a machine cannot start, stop or keep its data; `warning`: all works, but not as well as it could. */
  readonly severity: 'error' | 'warning';
  /** Long name; undefined when the whole host is meant. */
  readonly machine: string | undefined;
  readonly title: string;
  /** What was seen, and what comes of it. */
  readonly detail: string;
  /** What to do about it. */
  readonly fix: string;
}
