import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The checkout. */
export const root = join(import.meta.dirname, '..');

/**
 * Runs a program in the checkout and resolves to its exit status, and to its output unless that is shown.
 *
 * The program gets a process group of its own, which ends with it, with us, and when `timeoutMs` have passed.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ show?: boolean, timeoutMs?: number, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string, late: boolean }>}
 */
export function run(file, args, { show = false, timeoutMs = 600_000, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: root,
      detached: true,
      // Never the terminal itself: node --test would have every program of a test print in colours.
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`, ...env },
    });
    let output = '';
    let late = false;
    const killGroup = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of it has ended.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      killGroup();
    }, timeoutMs);
    const interrupted = (signal) => {
      killGroup();
      process.kill(process.pid, signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, interrupted);
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        if (show) process[stream].write(text);
        else output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, interrupted);
      if (child.pid !== undefined) killGroup();
      resolve({ code: code ?? 1, output, late });
    });
  });
}
