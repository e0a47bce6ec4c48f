import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { interrupt, MOMENTS, settleWork } from './interrupt.ts';
import { cutPower, type JsonObject, type Lab, lab, until } from './lab.ts';
import type { Cleanup } from './temp-root.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from './writer-guest.ts';

/** Names of images are those of people. */
const FILES = ['eins, ä.qcow2', 'zwei.qcow2'];
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Commands that look at a machine or at all: each has to set right what a killed one left. */
const LOOKS = [
  ['list'],
  ['status', 'web'],
  ['disk', 'list', 'web'],
  ['snapshot', 'list', 'web'],
  ['jobs', 'web'],
  ['check', 'web'],
] as const;

/** What a disk has to be: numbers of its last records, and hashes of its whole content. */
export interface Moment {
  readonly last: readonly number[];
  readonly contents: readonly string[];
}

/**
 * A machine whose guest wrote to two disks before and after its snapshot `first`, in a folder that its QEMU may not write
 * to; it can be made that again and again.
 */
export interface SnapshotScene extends Lab {
  /** At the snapshot, and when the machine was ended. */
  readonly past: Moment;
  readonly now: Moment;
  /** Ends the machine and makes it what it was. */
  rewind(): Promise<void>;
  /** Paths of the images that the machine's file names. */
  images(): Promise<readonly string[]>;
  /** Names of all images that are there. */
  names(): readonly string[];
  /**
   * Fails unless QEMU finds nothing wrong with each image, no snapshot is on some disks only, and nothing else is there.
   * Returns the names of the snapshots.
   */
  assertTidy(
    about: string,
    allowed?: { readonly leaks: boolean; readonly isPart: boolean },
  ): Promise<readonly string[]>;
  /** Which of both the disks are, by their whole content; fails when they differ, or are something else. */
  which(of?: { readonly snapshot: string }): Promise<'now' | 'then'>;
  /** Fails when a record is not whole, or one of before the snapshot is missing. */
  assertRecords(): Promise<void>;
  /** The same of a machine that may have been started since: by its records, which are all whole. */
  whichRecords(): Promise<'now' | 'then'>;
}

/** @param words of `snapshot create`. */
export async function snapshotScene(t: Cleanup, words: readonly string[]): Promise<SnapshotScene> {
  const root = lab(t);
  root.ownPorts();
  chmodSync(root.dir, 0o711);
  for (const file of FILES) {
    writerDisk(join(root.etcDir, file));
    if (isRoot) chownSync(join(root.etcDir, file), NOBODY, NOBODY);
  }
  const guest = writerGuest(root.etcDir, { disks: FILES.length });
  // The cache is root's.
  const kernel = join(root.etcDir, 'kernel');
  copyFileSync(guest.kernel, kernel);
  const user = isRoot ? 'RUNAS=nobody\nSANDBOX=on\nNETIF=managed\n' : '';
  const disks = FILES.map((file, at) => `DSK${at + 1}=${file.replace(',', ',,')}\n`).join('');
  root.add('web', `${writerMachine({ ...guest, kernel })}${user}${disks}`);
  const written = (): number[] => ['vda', 'vdb'].map((disk) => lastWritten(root.console('web'), disk));
  await root.ok('start', 'web');
  await until('it writes', () => Math.min(...written()) > 20, 240_000);
  await root.ok('snapshot', 'create', 'web', 'first', ...words);
  // So many that a guest that is started again does not make up for them unnoticed.
  const least = Math.max(...written()) + 200;
  await until('it writes on', () => Math.min(...written()) > least, 240_000);
  await root.ok('stop', 'web', '--force');
  const told = written();
  const aside = join(root.dir, 'aside');
  const state = join(root.stateDir, 'web');
  const copy = (from: string, to: string): void => {
    rmSync(to, { recursive: true, force: true });
    execFileSync('cp', ['-a', '--sparse=always', from, to]);
  };
  execFileSync('mkdir', [aside]);
  copy(root.etcDir, join(aside, 'etc'));
  copy(state, join(aside, 'state'));

  const isExternal = words.includes('--external');
  const images = async (): Promise<string[]> => {
    if (!isExternal) return FILES.map((file) => join(root.etcDir, file));
    const disksNow = (await root.one('disk', 'list', 'web'))['disks'] as JsonObject[];
    return disksNow.map(({ file }) => String(file));
  };
  const below = async (file: string): Promise<string> => {
    const info: unknown = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', file], { encoding: 'utf8' }));
    return String((info as JsonObject)['full-backing-filename']);
  };
  const top = await images();
  const snapshot = isExternal ? '' : 'first';
  const under = isExternal ? await Promise.all(top.map(below)) : top;
  const last = (files: readonly string[], of = ''): number[] =>
    files.map((file) => {
      const { last: found, wrong } = checkRecords(file, { snapshot: of });
      assert.deepEqual(wrong, [], file);
      return found;
    });
  const now = { last: last(top), contents: top.map((file) => contentOf(file)) };
  const past = { last: last(under, snapshot), contents: under.map((file) => contentOf(file, snapshot)) };
  for (const [at, number] of now.last.entries()) {
    assert.ok(number >= Number(told[at]), `${number} of ${told[at]}`);
    assert.ok(number > Number(past.last[at]) + 100);
  }

  return {
    ...root,
    now,
    past,
    images,
    async rewind() {
      if (root.leftovers().length > 0) await root.init('kill', 'web');
      copy(join(aside, 'etc'), root.etcDir);
      copy(join(aside, 'state'), state);
    },
    names: () => readdirSync(root.etcDir).filter((name) => /qcow2|part/.test(name)),
    async assertTidy(about, { leaks, isPart } = { leaks: false, isPart: false }) {
      const listed = (await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[];
      if (!isPart) for (const each of listed) assert.deepEqual(each['disks'], ['DSK1', 'DSK2'], JSON.stringify(each));
      const known = new Set(listed.map(({ name }) => String(name)));
      for (const file of await images()) {
        const { status, stdout, stderr } = spawnSync('qemu-img', ['check', file], { encoding: 'utf8' });
        assert.ok(status === 0 || (leaks && status === 3), `${about}: ${file}: ${stdout}${stderr}`);
        const table = execFileSync('qemu-img', ['snapshot', '-l', file], { encoding: 'utf8' });
        assert.equal(table.split('\n').filter((line) => /^\d/.test(line)).length <= known.size, true, table);
      }
      const hidden = [root.etcDir, state].flatMap((dir) => readdirSync(dir)).filter((name) => name.startsWith('.'));
      assert.deepEqual(hidden, []);
      assert.deepEqual(
        readdirSync(state).filter((name) => /work/.test(name)),
        [],
      );
      assert.deepEqual(root.leftovers(), [], about);
      return [...known];
    },
    async which({ snapshot: of } = { snapshot: '' }) {
      const found = (await images()).map((file) => contentOf(file, of));
      if (found.join() === now.contents.join()) return 'now';
      assert.deepEqual(found, past.contents, 'the disks are of one moment');
      return 'then';
    },
    async assertRecords() {
      for (const [at, number] of last(await images()).entries()) assert.ok(number >= Number(past.last[at]));
    },
    async whichRecords() {
      const found = last(await images());
      const isThen = found.map((number, at) => number < Number(now.last[at]));
      assert.equal(new Set(isThen).size, 1, `the disks are of one moment: ${found}`);
      for (const [at, number] of found.entries()) assert.ok(number >= Number(past.last[at]), `${number}`);
      return isThen[0] === true ? 'then' : 'now';
    },
  };
}

/** What a guest would read, hashed. */
function contentOf(file: string, snapshot = ''): string {
  const raw = `${file}.raw`;
  const of = snapshot === '' ? [] : ['-l', `snapshot.name=${snapshot}`];
  execFileSync('qemu-img', ['convert', '-f', 'qcow2', ...of, '-O', 'raw', file, raw]);
  const sum = execFileSync('sha256sum', [raw], { encoding: 'utf8' });
  rmSync(raw);
  return sum.replace(/^\\?(\w+)[\s\S]*/, '$1');
}

/**
 * Kills a command at one of the moments, and all else with it at every second one, as a power cut does; another command
 * sets it right then. Returns whether the command had not ended, and what happened.
 *
 * @param pace how long the command takes; noted again when it ends sooner, as the host may be less busy than it was.
 */
export async function killAt(
  scene: SnapshotScene,
  moment: number,
  pace: { tookMs: number },
  words: readonly string[],
): Promise<{ readonly isKilled: boolean; readonly hasPower: boolean; readonly about: string }> {
  const began = performance.now();
  const delayMs = (pace.tookMs * (moment + 0.5)) / MOMENTS;
  const isKilled = await interrupt(scene, 'SIGKILL', delayMs, ['snapshot', ...words]);
  if (!isKilled) pace.tookMs = performance.now() - began;
  const hasPower = moment % 2 === 0;
  if (!hasPower) cutPower(scene);
  const was = scene.leftovers();
  const said = await settleWork(scene, LOOKS[moment % LOOKS.length]);
  return { isKilled, hasPower, about: `${words[0]}, moment ${moment}: ${isKilled} ${was}: ${said}` };
}
