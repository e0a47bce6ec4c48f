import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertDocument } from '../support/documents.ts';
import { lab } from '../support/lab.ts';
import { type ParsedSeries, parsePrometheus } from '../support/prometheus-text.ts';
import { faultsOfMetrics, faultsOfRules } from '../support/promtool.ts';
import { repoRoot } from '../support/repo.ts';

const sampleOf = (
  series: readonly ParsedSeries[],
  name: string,
  labels: Readonly<Record<string, string>>,
): number | undefined =>
  series.find((each) => each.name === name && Object.entries(labels).every(([key, word]) => each.labels[key] === word))
    ?.value;

test('metrics are those of the kernel and of QEMU, and a machine that does not answer leaves no gap', async (t) => {
  const root = lab(t);
  for (const name of ['web', 'ice', 'off']) root.add(name);
  await root.ok('start', 'web', 'ice');
  await root.ok('wait', 'web', '--for', 'console=.');
  const [web, ice] = await root.json('status', 'web', 'ice');
  const pid = Number(ice?.['pid']);
  process.kill(pid, 'SIGSTOP');
  try {
    const text = await root.ok('metrics');
    assert.equal(faultsOfMetrics(text) ?? '', '');
    const series = parsePrometheus(text);
    assert.equal(sampleOf(series, 'qemu_machine_answers', { machine: 'web' }), 1);
    assert.equal(sampleOf(series, 'qemu_machine_answers', { machine: 'ice' }), 0);
    assert.equal(sampleOf(series, 'qemu_machine_state', { machine: 'ice', state: 'unresponsive' }), 1);
    assert.equal(sampleOf(series, 'qemu_machine_state', { machine: 'off', state: 'stopped' }), 1);
    assert.equal(sampleOf(series, 'qemu_host_machines', { state: 'running' }), 1);
    assert.ok((sampleOf(series, 'qemu_machine_disk_read_bytes_total', { machine: 'web', disk: 'dsk1' }) ?? 0) > 0);
    // The guest stands still, and so does what it has used.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    assert.equal(
      sampleOf(series, 'qemu_machine_cpu_seconds_total', { machine: 'ice', mode: 'user' }),
      Number(stat[11]) / 100,
    );
    assert.equal(
      sampleOf(series, 'qemu_machine_start_time_seconds', { machine: 'web' }),
      Date.parse(String(web?.['startedAt'])) / 1000,
    );

    const rows = await root.json('top', '--once', '--interval', '0.2');
    const row = rows.find(({ name }) => name === 'ice');
    assert.deepEqual([row?.['answers'], row?.['cpuPercent'], row?.['state']], [false, 0, 'unresponsive']);
    assert.equal(row?.['cpuSeconds'], Number(stat[11]) / 100 + Number(stat[12]) / 100);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await root.json('metrics', 'web');
  await root.ok('stop', '--all', '--force');
});

test('top counts what a busy machine uses as the kernel does', async (t) => {
  const root = lab(t);
  root.add('busy', '', { spamBytes: Number.POSITIVE_INFINITY });
  await root.ok('start', 'busy');
  await root.ok('wait', 'busy', '--for', 'console=.');
  const pid = Number((await root.one('status', 'busy'))['pid']);
  const usedSeconds = (): number => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(stat[11]) + Number(stat[12])) / 100;
  };
  const residentBytes = (): number =>
    1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const [cpuBefore, residentBefore] = [usedSeconds(), residentBytes()];
  const [row] = await root.json('top', 'busy', '--once', '--interval', '1');
  const [cpuAfter, residentAfter] = [usedSeconds(), residentBytes()];

  const seconds = Number(row?.['cpuSeconds']);
  assert.ok(seconds >= cpuBefore && seconds <= cpuAfter, `${cpuBefore} <= ${seconds} <= ${cpuAfter}`);
  // Its two looks were a second apart, between ours. The kernel counts in hundredths.
  const share = Number(row?.['cpuPercent']);
  assert.ok(share > 0 && share / 100 <= 1.05 * (cpuAfter - cpuBefore) + 0.02, `${share} %`);
  const resident = Number(row?.['residentBytes']);
  const [least, most] = [Math.min(residentBefore, residentAfter), Math.max(residentBefore, residentAfter)];
  assert.ok(resident >= 0.95 * least && resident <= 1.05 * most, `${resident} bytes, not ${least} to ${most}`);
  await root.ok('stop', '--all', '--force');
});

test('the rules for alerts are such', () => {
  assert.equal(faultsOfRules(join(repoRoot, 'docs/monitoring/alerts.yml')) ?? '', '');
});

test('the file for node_exporter is replaced as a whole and can be read by everybody', async (t) => {
  const root = lab(t);
  root.add('web');
  const dir = join(root.dir, 'textfile');
  assert.equal((await root.init('metrics', '--textfile', dir)).code, 1, 'there is no such folder');
  mkdirSync(dir);
  assert.equal(await root.ok('metrics', '--textfile', dir), '');
  const path = join(dir, 'qemu.prom');
  assert.equal(statSync(path).mode & 0o777, 0o644);
  const { ino } = statSync(path);
  parsePrometheus(readFileSync(path, 'utf8'));
  await root.ok('metrics', '--textfile', dir);
  assert.notEqual(statSync(path).ino, ino, 'a reader that has the old file open still sees all of it');
});

test('events of all machines are one stream, through starts and stops', async (t) => {
  const root = lab(t);
  for (const name of ['web', 'db']) root.add(name);
  await root.ok('start', 'web', 'db');
  const running = root.spawn('qemu-init', ['events', '--json']);
  // What runs at the first look has not started then; it is not known when that was.
  while (!/"db".*STARTED/.test(running.stdout())) {
    await root.ok('restart', 'db', '--force');
    await sleep(200);
  }
  for (;;) {
    // The connection to the control port comes after the start is seen.
    await root.ok('pause', 'web');
    await root.ok('resume', 'web');
    if (/"RESUME"/.test(running.stdout())) break;
    await sleep(200);
  }
  await root.ok('stop', '--all', '--force');
  await running.waitForOutput(/"web".*STOPPED/);
  await running.waitForOutput(/"db".*STOPPED/);
  running.child.kill('SIGINT');
  await running.result;
  const events = running
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { machine: string; event: string; time: string });
  assertDocument(events, 'events');
  assert.ok(events.some(({ machine, event }) => machine === 'web' && event === 'STOP'));
});

test('top needs a terminal, and wrong uses are refused', async (t) => {
  const root = lab(t);
  root.add('web');
  for (const [code, ...args] of [
    [2, 'top'],
    [2, 'top', '--json'],
    [2, 'top', '--once', '--interval', 'x'],
    [6, 'top', '--once', 'nothing'],
    [6, 'metrics', 'nothing'],
    [6, 'events', 'nothing'],
  ] as const) {
    const result = await root.init(...args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
  }
});

/** The second screen of a terminal and back. */
const ENTER = '\u001B[?1049h';
const LEAVE = '\u001B[?25h\u001B[?1049l';

test('top shows what runs, stops nothing without a yes, and gives the terminal back', async (t) => {
  const root = lab(t);
  for (const name of ['web', 'db']) root.add(name);
  await root.ok('start', 'web');
  const top = root.spawn('qemu-init', ['top', '--interval', '0.3'], { tty: true, env: { NO_COLOR: '1' } });
  await top.waitForOutput(/web +running/);
  assert.ok(top.stdout().includes(ENTER));
  top.write('/we\rx');
  await top.waitForOutput(/Stop web\?/);
  top.write('n');
  await sleep(500);
  assert.equal(await root.state('web'), 'running');
  top.write('q');
  const { code, stdout } = await top.result;
  assert.equal(code, 0);
  assert.ok(
    stdout.includes(LEAVE) && stdout.lastIndexOf(LEAVE) > stdout.lastIndexOf(ENTER),
    'the screen is given back',
  );
  await root.ok('stop', 'web', '--force');
});

test('top leaves the screen also when it is interrupted', async (t) => {
  const root = lab(t);
  root.add('web');
  const top = root.spawn('qemu-init', ['top'], { tty: true, env: { NO_COLOR: '1' } });
  await top.waitForOutput(/web +stopped/);
  top.write('\u0003');
  const { stdout } = await top.result;
  assert.ok(stdout.trimEnd().endsWith(LEAVE) || stdout.lastIndexOf(LEAVE) > stdout.lastIndexOf(ENTER));
});
