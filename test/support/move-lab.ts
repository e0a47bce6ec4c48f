import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, lab, until } from './lab.ts';
import { type Cleanup, tempRoot } from './temp-root.ts';
import { lastWritten, writerDisk, writerGuest, writerMachine } from './writer-guest.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** A place that a machine can be at. */
export interface Place {
  readonly lab: Lab;
  /** As a destination. */
  readonly name: string;
}

/** Two roots of this host, and a guest that writes records, whose disk both can reach. */
export interface MoveLab {
  readonly places: readonly [Place, Place];
  readonly disk: string;
  /** The one that the machine is registered at. */
  at(): Place;
  other(): Place;
  /** Number of the last record that the guest has reported, at whichever place. */
  written(): number;
  /** Fails unless the guest writes on, and boots no more often than that. */
  writesOn(boots?: number): Promise<void>;
  boots(): number;
  /** Fails when anything is left of a machine at a place that it is not at. */
  assertGone(place: Place, about: string): void;
}

/**
 * @param program QEMU other than the one of this host, which other users may not have access to.
 * @param nameOf how each of the two is named as a destination.
 * @param envOf what the tools at each of the two have in their environment.
 */
export function moveLab(
  t: Cleanup,
  program?: string,
  nameOf = (dir: string, _at: number) => `root:${dir}`,
  envOf: (at: number) => NodeJS.ProcessEnv = () => ({}),
): MoveLab {
  const shared = tempRoot(t);
  chmodSync(shared.dir, 0o711);
  chmodSync(shared.etcDir, 0o711);
  const make = (at: number): Place => placeOf(lab(t, { env: envOf(at) }), at, nameOf);
  const places: readonly [Place, Place] = [make(0), make(1)];
  const disk = writerDisk(join(shared.etcDir, 'web.qcow2'), { size: '1G' });
  if (isRoot) chownSync(disk, NOBODY, NOBODY);
  const guest = writerGuest(shared.etcDir);
  // Others may not look into the folder that has the kernel.
  const kernel = join(shared.etcDir, 'kernel');
  copyFileSync(guest.kernel, kernel);
  const user = isRoot ? 'RUNAS=nobody\nSANDBOX=on\n' : '';
  const own = program === undefined ? user : `TGTARCH=${program}\n`;
  const [first] = places;
  first.lab.add(
    'web',
    `# its comment\n${writerMachine({ ...guest, kernel })}DSK1=${disk}\nNIC1=virtio-net-pci,net=user\n${own}`,
  );
  const texts = (): string => places.map(({ lab: root }) => consoleOf(root)).join('\n');
  const found = (isHere: boolean): Place => {
    const place = places.find(({ lab: root }) => isRegistered(root) === isHere);
    assert.ok(place);
    return place;
  };
  const boots = (): number => [...texts().matchAll(/^boot /gm)].length;
  const written = (): number => Math.max(...places.map(({ lab: root }) => lastWritten(consoleOf(root))));
  return {
    places,
    disk,
    at: () => found(true),
    other: () => found(false),
    written,
    boots,
    async writesOn(most = 1) {
      const before = written();
      await until('it writes on', () => written() > before + 1, 240_000);
      assert.ok(boots() <= most, `it has booted ${boots()} times`);
    },
    assertGone({ lab: root }, about) {
      assert.deepEqual(root.leftovers(), [], about);
      const kept = existsSync(join(root.stateDir, 'web')) ? readdirSync(join(root.stateDir, 'web')) : [];
      // What a QEMU that was killed printed last stays where that was.
      assert.deepEqual(
        kept.filter((name) => name !== 'crash'),
        [],
        about,
      );
      assert.equal(existsSync(join(root.etcDir, 'web-qemu.cfg')), false, about);
    },
  };
}

function placeOf(root: Lab, at: number, nameOf: (dir: string, at: number) => string): Place {
  root.ownPorts();
  chmodSync(root.dir, 0o711);
  return { lab: root, name: nameOf(root.dir, at) };
}

function consoleOf(root: Lab): string {
  return existsSync(join(root.logDir, 'web.console')) ? root.console('web') : '';
}

function isRegistered(root: Lab): boolean {
  const path = join(root.etcDir, 'qemu-init.reg');
  return existsSync(path) && /^web=/m.test(readFileSync(path, 'utf8'));
}

/** Waits until a machine has noted a phase of a move, or its QEMU is there (`qemu`) or waits for the guest (`memory`), or the command is over. */
export async function untilPhase({ lab: root }: Place, phase: string, isOver: () => boolean): Promise<void> {
  const isThere = (): boolean => {
    if (phase === 'qemu') return existsSync(root.file('web', 'qemu/qmp.sock'));
    return phase === 'memory' ? existsSync(root.file('web', 'qemu/move.sock')) : phaseOf(root) === phase;
  };
  while (!isThere() && !isOver()) await sleep(1);
}

function phaseOf(root: Lab): string {
  try {
    return readFileSync(join(root.stateDir, 'web/move.json'), 'utf8').match(/"phase": "([a-z-]+)"/)?.[1] ?? '';
  } catch {
    return '';
  }
}

/** Which of the places runs the guest; one that lies still is started, which only one place may do. */
export async function whoRuns(
  { places, boots }: MoveLab,
  about: string,
): Promise<{ readonly runs: Place; readonly most: number }> {
  const states = [];
  for (const place of places) states.push({ place, state: await place.lab.state('web') });
  const running = states.filter(({ state }) => state === 'running').map(({ place }) => place);
  assert.ok(running.length <= 1, `${about}: ${JSON.stringify(states.map(({ state }) => state))}`);
  const [runs] = running;
  if (runs !== undefined) return { runs, most: boots() };
  const most = boots() + 1;
  const started: Place[] = [];
  for (const place of places) if ((await place.lab.init('start', 'web')).code === 0) started.push(place);
  assert.equal(started.length, 1, `${about}: only one place may start it`);
  const [only] = started;
  assert.ok(only);
  return { runs: only, most };
}
