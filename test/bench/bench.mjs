/**
 * The figures that the project wants to reach, as ratios within one run on one host: `npm run bench [-- MACHINES [PART…]]`.
 *
 * MACHINES (100) are started by `start --all`, twice as many are asked by `status --all`. PART is one of the names in PARTS; without
 * one all are run.
 */

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { timeBackups } from './backup.mjs';
import { timeBoot } from './boot.mjs';
import { timeHook } from './hook.mjs';
import { Lab, tool } from './lab.mjs';
import { timeMirror } from './mirror.mjs';
import { timeMoving } from './moving.mjs';
import { timeNics } from './nics.mjs';
import { startFlood, timeCommands, timeCycles, timeEvents } from './node-qemu.mjs';
import { timePlugging } from './plugging.mjs';
import { bareLoop, barePipeline, clientLoop, clientPipeline } from './qmp-loops.mjs';
import { rawStart, recordStart } from './raw-start.mjs';
import { inParallel, medians, timeProgram } from './sampling.mjs';
import { timeSaving } from './saving.mjs';
import { isLibvirtThere, VirshMachine } from './virsh.mjs';
import { timeWeb } from './web.mjs';

const [count = '100', ...chosen] = process.argv.slice(2);
const machines = Number(count);
const parallel = 2 * availableParallelism();
const rows = [];

const node = () => timeProgram(process.execPath, ['-e', '0']);
const ms = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const times = (value) => `${value.toFixed(2)} ×`;

function row(what, figure, reach, reached) {
  rows.push({ what, figure, reach, verdict: reached ? 'reached' : 'MISSED' });
  console.log(`${what}: ${figure} (to reach: ${reach})${reached ? '' : '  MISSED'}`);
}

/** A figure that nothing is promised of. */
function plainRow(what, figure) {
  rows.push({ what, figure, reach: '', verdict: '' });
  console.log(`${what}: ${figure}`);
}

const PARTS = {
  calls: benchCalls,
  start: benchStart,
  virsh: benchVirsh,
  qmp: benchQmp,
  saving: benchSaving,
  moving: benchMoving,
  plugging: benchPlugging,
  hook: benchHook,
  nics: benchNics,
  backup: benchBackup,
  mirror: benchMirror,
  startAll: benchStartAll,
  statusAll: benchStatusAll,
  web: () => benchWeb(50),
  boot: () => benchBoot(50),
};
const wrong = chosen.find((part) => !Object.hasOwn(PARTS, part));
if (wrong !== undefined) throw new Error(`There is no part "${wrong}"; there are ${Object.keys(PARTS).join(', ')}`);

const lab = new Lab(2 * machines);
process.once('SIGINT', () => interrupted(130));
process.once('SIGTERM', () => interrupted(143));
try {
  console.log(
    `Node ${process.version}, ${availableParallelism()} processors, ${machines} machines, ${parallel} at a time`,
  );
  for (const part of chosen.length > 0 ? chosen : Object.keys(PARTS)) await PARTS[part]();
  printTable();
} finally {
  lab.remove();
}

/** What a person waits for with every call. */
async function benchCalls() {
  await lab.time('qemu-init', 'start', 'm0');
  const result = await medians(15, {
    node,
    version: () => lab.time('qemu-init', '--version'),
    status: () => lab.time('qemu-init', 'status', 'm0'),
    command: () => lab.time('qemu-cmd', '-c', 'info status', 'm0'),
  });
  console.log(`node -e 0: ${ms(result.node)}`);
  for (const [name, what, most] of [
    ['version', 'qemu-init --version', 1.2],
    ['status', 'qemu-init status of one machine', 1.4],
  ]) {
    const ratio = result[name] / result.node;
    row(what, `${ms(result[name])} = ${times(ratio)} node`, `≤ ${most.toFixed(2)} × node -e 0`, ratio <= most);
  }
  console.log(`qemu-cmd -c: ${ms(result.command)} = ${times(result.command / result.node)} node`);
}

async function benchStart() {
  const [{ pid }] = await lab.json('status', 'm0');
  const recorded = recordStart(pid, lab.runDir('m0'));
  await lab.time('qemu-init', 'kill', 'm0');
  const result = await medians(15, {
    node,
    raw: async () => {
      const { elapsed, end } = await rawStart(recorded);
      await end();
      return elapsed;
    },
    start: async () => {
      const elapsed = await lab.time('qemu-init', 'start', 'm0');
      await lab.time('qemu-init', 'kill', 'm0');
      return elapsed;
    },
  });
  const extra = (result.start - result.raw) / result.node;
  const figure = `${ms(result.start)} = raw QEMU (${ms(result.raw)}) + ${times(extra)} node`;
  row('qemu-init start', figure, '≤ raw QEMU + 1.5 × node -e 0', extra <= 1.5);
}

async function benchVirsh() {
  if (!isLibvirtThere()) {
    console.log('virsh start: skipped: no libvirt runs here');
    return;
  }
  const virsh = new VirshMachine(lab.dir, lab.diskOf('m0'));
  try {
    const result = await medians(9, {
      virsh: () => virsh.time(),
      start: async () => {
        const elapsed = await lab.time('qemu-init', 'start', 'm0');
        await lab.time('qemu-init', 'kill', 'm0');
        return elapsed;
      },
    });
    console.log(
      `virsh start: ${ms(result.virsh)}; qemu-init start in turn with it: ${times(result.start / result.virsh)}`,
    );
  } finally {
    virsh.remove();
  }
}

async function benchQmp() {
  const count = 2000;
  await lab.time('qemu-init', 'start', 'm0');
  const [{ pid }] = await lab.json('status', 'm0');
  const { socket: path } = recordStart(pid, lab.runDir('m0'));
  const result = await medians(5, {
    bare: () => bareLoop(path, count),
    client: () => clientLoop(path, count),
    barePipeline: () => barePipeline(path, count),
    pipeline: () => clientPipeline(path, count),
  });
  const perSecond = (elapsed) => `${Math.round((count * 1000) / elapsed)}/s`;
  for (const [what, ours, bare] of [
    ['QMP round trips', result.client, result.bare],
    ['QMP pipelined', result.pipeline, result.barePipeline],
  ]) {
    const ratio = bare / ours;
    row(what, `${perSecond(ours)} = ${times(ratio)} a bare socket`, '≥ 0.90 × a bare socket', ratio >= 0.9);
  }
  await benchNodeQemu(path);
  await lab.time('qemu-init', 'kill', 'm0');
}

/** Side by side with the other client of QMP that npm has. */
async function benchNodeQemu(path) {
  const flood = await startFlood(lab.dir, 100_000);
  try {
    const compare = async (what, rounds, time) => {
      const { ours, theirs } = await medians(rounds, { ours: () => time('ours'), theirs: () => time('theirs') });
      row(what, `${ms(ours)} = ${times(ours / theirs)} node-qemu`, '≤ 1 × node-qemu', ours <= theirs);
    };
    await compare('QMP: 50 × connect, query-status, close', 15, (who) => timeCycles(who, path, 50));
    await compare('QMP: 2,000 × query-status', 9, (who) => timeCommands(who, path, 2000));
    await compare('QMP: 100,000 events', 9, (who) => timeEvents(who, flood.path, 100_000));
  } finally {
    flood.end();
  }
}

async function benchSaving() {
  const { ours, raw, mib } = await timeSaving(lab);
  const figure = `${ms(ours)} for ${mib} MiB = ${times(raw / ours)} raw QEMU (${ms(raw)})`;
  row('qemu-init save and start again', figure, '≥ 0.80 × raw QEMU', raw / ours >= 0.8);
}

async function benchMoving() {
  const { ours, raw, node: bare, pause, rawPause, ramMib, usedMib } = await timeMoving(lab);
  const more = (ours - raw) / bare;
  const figure = `${ms(ours)} = raw QEMU (${ms(raw)}) + ${times(more)} node`;
  row(`local move of an idle guest, ${ramMib} MiB`, figure, '≤ raw QEMU + 4.00 × node -e 0', more <= 4);
  row(
    `the same: how long it stood still, ${usedMib} MiB in use`,
    `${ms(pause)}; raw QEMU ${ms(rawPause)}`,
    '≤ 300 ms',
    pause <= 300,
  );
}

async function benchPlugging() {
  const { attach, node: bare } = await timePlugging(lab);
  const ratio = attach / bare;
  row('hot-plug of a disk', `${ms(attach)} = ${times(ratio)} node`, '≤ 2.00 × node -e 0', ratio <= 2);
}

async function benchHook() {
  const result = await timeHook(15, lab.dir, tool('qemu-netif'));
  if (typeof result === 'string') {
    console.log(`qemu-brup: skipped: ${result}`);
    return;
  }
  const ratio = result.hook / result.node;
  row('qemu-brup hook', `${ms(result.hook)} = ${times(ratio)} node`, '≤ 1.20 × node -e 0', ratio <= 1.2);
}

async function benchNics() {
  const result = await timeNics(11, lab.dir, tool);
  if (typeof result === 'string') {
    console.log(`start with NICs: skipped: ${result}`);
    return;
  }
  const ratio = result.managed8 / result.managed1;
  const figure = `${ms(result.managed8)} = ${times(ratio)} the start with one`;
  row('start with eight NICs, managed', figure, '≤ 1.30 × with one', ratio <= 1.3);
  const each = result.hook2 - result.hook1;
  plainRow('each NIC with NETIF=hook', `${ms(each)} = ${times(each / result.node)} node`);
}

async function benchBackup() {
  const { convert, copied, full, incremental, sizeMib } = await timeBackups();
  const rate = (elapsed) => `${Math.round((sizeMib * 1000) / elapsed)} MiB/s`;
  const ratio = convert / copied;
  row(
    'full backup of a running machine, until all is copied',
    `${rate(copied)} = ${times(ratio)} the speed of qemu-img convert`,
    '≥ 1.50 × the speed of qemu-img convert',
    ratio >= 1.5,
  );
  plainRow(
    'the same with checksums and fsync',
    `${rate(full)} = ${times(convert / full)} the speed of qemu-img convert`,
  );
  const part = incremental / full;
  row(
    'incremental backup after 1 % has changed',
    `${ms(incremental)} = ${times(part)} the full one`,
    '≤ 0.10 × the full one',
    part <= 0.1,
  );
}

async function benchMirror() {
  const { convert, copied, mirror, sizeMib } = await timeMirror();
  const rate = (elapsed) => `${Math.round((sizeMib * 1000) / elapsed)} MiB/s`;
  const ratio = convert / copied;
  row(
    'copy of a running machine’s disk, until all is copied',
    `${rate(copied)} = ${times(ratio)} the speed of qemu-img convert`,
    '≥ 1.50 × the speed of qemu-img convert',
    ratio >= 1.5,
  );
  plainRow(
    'the same with fsync and the change of images',
    `${rate(mirror)} = ${times(convert / mirror)} the speed of qemu-img convert`,
  );
}

async function benchStartAll() {
  const names = lab.names.slice(0, machines);
  await lab.time('qemu-init', 'start', '--parallel', String(parallel), ...names);
  const pids = new Map((await lab.json('status', ...names)).map(({ name, pid }) => [name, pid]));
  const recorded = names.map((name) => recordStart(pids.get(name), lab.runDir(name)));
  await lab.time('qemu-init', 'kill', ...names);
  const result = await medians(3, {
    raw: async () => {
      const ends = [];
      const start = performance.now();
      await inParallel(parallel, recorded, async (one) => ends.push((await rawStart(one)).end));
      const elapsed = performance.now() - start;
      await Promise.all(ends.map((end) => end()));
      return elapsed;
    },
    start: async () => {
      const elapsed = await lab.time('qemu-init', 'start', '--parallel', String(parallel), ...names);
      await lab.time('qemu-init', 'kill', ...names);
      return elapsed;
    },
  });
  const ratio = result.start / result.raw;
  const figure = `${ms(result.start)} = ${times(ratio)} a spawn loop (${ms(result.raw)})`;
  row(`qemu-init start of ${machines} machines`, figure, '≤ 1.15 × a spawn loop', ratio <= 1.15);
}

async function benchStatusAll() {
  const count = lab.names.length;
  await lab.time('qemu-init', 'start', '--all', '--parallel', String(parallel));
  // 200 guests that boot under emulation keep the host busy for a while.
  await lab.time('qemu-init', 'wait', lab.names.at(-1), '--for', 'console=ready');
  await sleep(2000);
  const all = await medians(5, {
    one: () => lab.time('qemu-init', 'status', 'm0', '--json'),
    status: () => lab.time('qemu-init', 'status', '--all', '--json'),
    metrics: () => lab.time('qemu-init', 'metrics'),
  });
  const each = (all.status - all.one) / (count - 1);
  const metrics = (all.metrics - all.one) / (count - 1);
  row(`status of ${count} machines`, `${ms(all.status)}, ${ms(each)} a machine`, '< 5 ms a machine', each < 5);
  row(`metrics of ${count} machines`, `${ms(all.metrics)}, ${ms(metrics)} a machine`, '< 5 ms a machine', metrics < 5);
  const [{ pid }] = await lab.json('status', 'm0');
  process.kill(pid, 'SIGSTOP');
  const scrape = await lab.time('qemu-init', 'metrics');
  row(`metrics of ${count} machines, one frozen`, ms(scrape), '< 2500 ms', scrape < 2500);
  const start = performance.now();
  const states = (await lab.json('status', '--all')).map(({ state }) => state);
  const elapsed = performance.now() - start;
  const told = states.filter((state) => state === 'unresponsive').length;
  const running = states.filter((state) => state === 'running').length;
  row(
    `status of ${count} machines, one frozen`,
    `${ms(elapsed)}, ${running} running, ${told} unresponsive`,
    `< 2500 ms, ${count - 1} running, 1 unresponsive`,
    elapsed < 2500 && told === 1 && running === count - 1,
  );
}

/** The page with so many machines, and none besides. */
async function benchWeb(count) {
  await lab.time('qemu-init', 'kill', '--all');
  const few = new Lab(count);
  try {
    await few.time('qemu-init', 'start', '--all', '--parallel', String(parallel));
    await few.time('qemu-init', 'wait', few.names.at(-1), '--for', 'console=ready');
    const { share, leaks, paintMs } = await timeWeb(few);
    const what = `web: server, ${count} machines looked at each second`;
    row(what, `${(100 * share).toFixed(1)} % of a processor`, '< 10 %', share < 0.1);
    const { loads, descriptors, mib } = leaks;
    const left = `${descriptors} descriptors, ${mib.toFixed(1)} MiB`;
    row(`web: what ${loads} openings of the page leave`, left, '0 descriptors, < 10 MiB', descriptors <= 0 && mib < 10);
    if (paintMs === undefined) console.log('web: first paint: skipped: no chromium');
    else row(`web: first paint, ${count} machines`, ms(paintMs), '< 300 ms', paintMs < 300);
  } finally {
    few.remove();
  }
}

async function benchBoot(count) {
  const result = await timeBoot(count);
  if (typeof result === 'string') {
    console.log(`${count} machines at boot: skipped: ${result}`);
    return;
  }
  const ratio = result.boot / result.loop;
  const figure = `${ms(result.boot)} = ${times(ratio)} a shell loop (${ms(result.loop)})`;
  plainRow(`${count} machines at boot, by systemd`, figure);
  const { start, stop } = result.direct;
  for (const [what, unit, direct] of [
    [`${count} machines at boot, by their units`, result.boot, start],
    [`${count} machines stopped, by their units`, result.stop, stop],
  ]) {
    const byUnits = unit / direct;
    row(what, `${ms(unit)} = ${times(byUnits)} one command (${ms(direct)})`, '≤ 2.00 × one command', byUnits <= 2);
  }
}

function printTable() {
  const columns = ['what', 'figure', 'reach', 'verdict'];
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((entry) => entry[column].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  console.log(`\n${line(columns)}\n${line(widths.map((width) => '-'.repeat(width)))}`);
  for (const entry of rows) console.log(line(columns.map((column) => entry[column])));
}

function interrupted(code) {
  lab.remove();
  process.exit(code);
}
