/** A scratch root with many machines of the tiny guest. */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeGuestDisk } from '../../scripts/guest-disk.mjs';
import { timeProgram } from './sampling.mjs';

const checkout = join(import.meta.dirname, '../..');

/** Path of one of our tools. */
export const tool = (name) => join(checkout, 'bin', name);

/** A tmpfs, as `/run` is on a host: what is written there at each start is not to wait for a disk. */
const MEMORY = '/dev/shm';

export class Lab {
  dir = mkdtempSync(join(tmpdir(), 'qb-'));
  #memory = existsSync(MEMORY) ? mkdtempSync(join(MEMORY, 'qb-')) : undefined;
  #env = { ...process.env, QEMU_INIT_ROOT: this.dir };

  /** Makes and registers the machines m0, m1 … with a disk each. */
  constructor(count) {
    const etc = join(this.dir, 'etc/qemu');
    mkdirSync(etc, { recursive: true });
    if (this.#memory !== undefined) symlinkSync(this.#memory, join(this.dir, 'run'));
    const names = Array.from({ length: count }, (_, i) => `m${i}`);
    for (const name of names) {
      writeGuestDisk(join(etc, `${name}.raw`));
      writeFileSync(join(etc, `${name}-qemu.cfg`), `RAM=16M\nKVM=off\nDSK1=${name}.raw\n`);
    }
    // QEMU started by hand cannot go out of the way of others' machines.
    writeFileSync(join(etc, 'monitor.conf'), 'MONPORT=21000\nVNCDISPLAY=4000\n');
    writeFileSync(join(etc, 'qemu-init.reg'), names.map((name) => `${name}=${name}\n`).join(''));
    this.names = names;
  }

  diskOf(name) {
    return join(this.dir, 'etc/qemu', `${name}.raw`);
  }

  runDir(name) {
    return join(this.dir, 'run/qemu-init', name);
  }

  /** Milliseconds that a call of one of our tools takes. */
  time(name, ...args) {
    return timeProgram(tool(name), args, { env: this.#env });
  }

  /** The document that `qemu-init … --json` prints, whatever its exit status. */
  async json(...args) {
    const options = { env: this.#env, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)(tool('qemu-init'), [...args, '--json'], options).catch(
      (error) => error,
    );
    return JSON.parse(stdout);
  }

  /** Ends every QEMU of this lab, and the lab. */
  remove() {
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${this.dir}/`)) process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    for (const dir of [this.dir, this.#memory].filter((each) => each !== undefined)) {
      rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    }
  }
}
