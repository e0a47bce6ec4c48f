/**
 * Reporter of node:test that writes the outcome of a run so far as a line of JSON after each test: how many passed, failed and
 * were skipped, and which failed. The last line counts, also of a run that was ended. Suites are no tests. A file without any test is a failure: nobody writes one on purpose.
 */
import { basename, relative } from 'node:path';

export default async function* testReporter(source) {
  const result = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for await (const { type, data } of source) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') continue;
    // A file is reported as a test only when it holds none, or ended badly.
    const isFile = data.file !== undefined && (data.name === data.file || data.name === basename(data.file));
    if (data.skip !== undefined || data.todo !== undefined) result.skipped += 1;
    else if (type === 'test:pass' && !isFile) result.passed += 1;
    else {
      result.failed += 1;
      const file = data.file === undefined ? '' : relative(process.cwd(), data.file);
      result.failures.push(type === 'test:pass' ? `${file} holds no test` : isFile ? file : `${file}: ${data.name}`);
    }
    yield `${JSON.stringify(result)}\n`;
  }
}
