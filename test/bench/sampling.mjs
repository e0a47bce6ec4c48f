/** Samples of running times, taken in turn so that whatever slows the host down slows all cases alike. */
import { spawn } from 'node:child_process';

/** Milliseconds that a program takes from its start to its end. */
export async function timeProgram(file, args, options = {}) {
  const start = performance.now();
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  const elapsed = performance.now() - start;
  if (code !== 0) throw new Error(`"${[file, ...args].join(' ')}" ended with ${code}\n${errors}`);
  return elapsed;
}

/**
 * Runs each case once a round and returns the median of each. A case returns its own milliseconds, so that it can
 * prepare and clean up outside of them. One round before the first is not counted.
 */
export async function medians(rounds, cases) {
  const samples = new Map(Object.keys(cases).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, sample] of Object.entries(cases)) {
      const elapsed = await sample();
      if (round >= 0) samples.get(name).push(elapsed);
    }
  }
  return Object.fromEntries([...samples].map(([name, values]) => [name, median(values)]));
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Works through the items, at most `limit` at a time. */
export async function inParallel(limit, items, work) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
