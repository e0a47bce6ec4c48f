import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a test context and `node:test` itself have in common. */
export interface Cleanup {
  after(body: () => Promise<void> | void): void;
}

/** A folder that stands for `/`, as `--root` takes it. Its path is short: socket paths have at most 107 bytes. */
export interface TempRoot {
  readonly dir: string;
  readonly etcDir: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  /** Writes a file, given relative to {@link dir}; folders are made. Returns its absolute path. */
  write(path: string, text: string | Uint8Array): string;
  /** The pids of the QEMUs that name this folder on their command line. */
  qemus(): number[];
}

/** A scratch root with its four folders. Afterwards every QEMU that names it is killed and it is removed. */
export function tempRoot(t: Cleanup): TempRoot {
  const dir = tempDir(t);
  const root = {
    dir,
    etcDir: join(dir, 'etc/qemu'),
    runDir: join(dir, 'run/qemu-init'),
    stateDir: join(dir, 'var/lib/qemu-init'),
    logDir: join(dir, 'var/log/qemu-init'),
  };
  for (const folder of [root.etcDir, root.runDir, root.stateDir, root.logDir]) mkdirSync(folder, { recursive: true });
  return {
    ...root,
    write(path, text) {
      const file = join(dir, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    qemus: () => findQemus(dir),
  };
}

/** Removed once more at the end: hooks run in the order in which they were given, and more may come after ours. */
const made: string[] = [];

/** An empty scratch folder with a short path; removed afterwards, with every QEMU that names it. */
export function tempDir(t: Cleanup): string {
  const dir = mkdtempSync(join(tmpdir(), 'qi-'));
  if (made.length === 0) process.once('exit', () => made.forEach(remove));
  made.push(dir);
  t.after(async () => {
    await killQemus(dir);
    try {
      remove(dir);
    } catch {
      // Something is mounted in it, which a later hook takes away; what is not gone at the end is an error.
    }
  });
  return dir;
}

function remove(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

/** The pids of all living QEMU programs that name `dir` on their command line. */
export function findQemus(dir: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      // A zombie has an empty command line, one that is gone has none.
      const argv = readCommandLine(pid);
      return basename(argv[0] ?? '').startsWith('qemu-') && argv.some((word) => word.includes(dir));
    })
    .map(Number);
}

async function killQemus(dir: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (let pids = findQemus(dir); pids.length > 0; pids = findQemus(dir)) {
    if (Date.now() > deadline) throw new Error(`Cannot get rid of QEMU ${pids.join(', ')} in "${dir}"`);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself in between.
      }
    }
    await sleep(10);
  }
}

function readCommandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
