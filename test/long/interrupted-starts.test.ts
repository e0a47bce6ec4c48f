import { test } from 'node:test';
import { interruptStarts } from '../support/interrupted-starts.ts';

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} at 20 moments of a start: the next start or stop works at once, and nothing is orphaned`, (t) =>
    interruptStarts(t, signal, 20));
}
