/**
 * The tests: `node scripts/test.mjs [TIER [FILE…]]`, where FILE is any part of a test file's path; of
 * several each chooses files.
 *
 * Without arguments: all linters, then all tiers. A tier passes when it ran tests, all of them passed, and they left no
 * process and no file behind. The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { lint } from './lint.mjs';
import { root, run } from './run.mjs';
import { COVERAGE, TIERS } from './tiers.mjs';

/** Longest time for one test file. */
const FILE_MINUTES = 10;

/** Failures in more files than these of a tier are no matter of chance. */
const MOST_UNSTEADY = 3;

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;

async function main([only, ...parts]) {
  const tiers = TIERS.filter(({ name, byName }) => (only === undefined ? !byName : name === only));
  if (tiers.length === 0) {
    console.error(`There is no tier "${only}"; there are ${TIERS.map((tier) => tier.name).join(', ')}`);
    return false;
  }
  if (only === undefined) console.log('Linters and all tests: 10 to 20 minutes, with a summary at the end');
  // What compiles needs no look at its types before.
  const linted = only !== undefined || (await lint({ types: false }));
  const clean = (await compile()) && linted;
  if (clean && tiers.some(({ name }) => name !== 'unit'))
    await run(process.execPath, ['build/test/support/downloads.js'], { show: true });
  const lanes = [...new Set(tiers.map(({ lane }) => lane))].map((lane) => tiers.filter((tier) => tier.lane === lane));
  const outcomes = (await Promise.all(lanes.map((lane, at) => runLane(lane, parts, at === 0)))).flat();
  for (const [at, outcome] of outcomes.entries()) outcomes[at] = await runAgain(outcome);
  return report(outcomes, clean);
}

/** Runs tiers one after the other. Of one lane the output is shown as it comes, of others when a tier is over. */
async function runLane(tiers, parts, show) {
  const outcomes = [];
  for (const tier of tiers) {
    const began = performance.now();
    const outcome = await runTier(tier, parts, show);
    outcomes.push({ ...outcome, tier, seconds: (performance.now() - began) / 1000 });
    console.log(summary(outcomes.at(-1)));
  }
  return outcomes;
}

async function compile() {
  rmSync(join(root, 'build'), { recursive: true, force: true });
  const { code, output } = await run('tsc', ['-p', 'tsconfig.test.json', '--pretty', 'false']);
  if (code !== 0) console.log(`The tests do not compile\n${output}`);
  return code === 0;
}

/** What became of a tier: the numbers of the reporter, or the reason why it was left out. */
async function runTier(tier, asked, show) {
  const obstacle = tier.obstacle?.();
  if (obstacle !== undefined) return { obstacle, passed: 0, failed: 0, skipped: 0, failures: [] };
  // A path as it is typed names the source.
  const parts = asked.map((part) => part.replace(/\.ts$/, '.js'));
  const files = testFiles(join('build/test', tier.name)).filter(
    (file) => parts.length === 0 || parts.some((part) => file.includes(part)),
  );
  if (files.length === 0) return failed(`tier ${tier.name}: no test file found`);
  // Some of the files cover only some of the sources.
  const counted = { ...tier, coverage: tier.coverage && parts.length === 0 };
  const outcome = await runFiles(counted, files, show);
  return { ...outcome, again: filesToRunAgain(outcome, files) };
}

/** When all tiers are over, runs what there is to run once more; tells what became of the tier then. */
async function runAgain(outcome) {
  const { tier, again = [], passed, failed: lost, failures } = outcome;
  if (again.length === 0) return outcome;
  console.log(`\nOnce more, alone: ${again.join(', ')}`);
  const alone = await runFiles({ ...tier, coverage: false, concurrency: 1 }, again, true);
  if (alone.failed > 0) return outcome;
  return { ...outcome, passed: passed + lost, failed: 0, failures: [], unsteady: failures };
}

/**
 * The files in which tests failed, if they are so few that other programs of a busy host may be the reason. What passes alone does
 * not fail the run and is named in the summary. A process or file that is left behind, or a tier that took too long, is
 * no matter of chance.
 */
function filesToRunAgain({ failures, failed: count }, files) {
  if (count === 0 || failures.length !== count) return [];
  const found = failures.map((failure) => {
    const source = failure.split(':')[0].replace(/\.ts$/, '.js');
    return files.find((file) => source !== '' && file.endsWith(source));
  });
  const again = [...new Set(found)];
  return again.includes(undefined) || again.length > MOST_UNSTEADY ? [] : again;
}

/** Runs test files of a tier, and tells what became of them. */
async function runFiles(tier, files, show) {
  // A place of its own for all that the tests make, so that what they leave behind is seen.
  const scratch = mkdtempSync(join(tmpdir(), 'qt-'));
  // Some of the QEMUs and tools that run below it are other users'.
  chmodSync(scratch, 0o711);
  try {
    const { code, late, output } = await run(...testCommand(tier, files, scratch), {
      show,
      timeoutMs: tier.minutes * 60_000,
      env: { TMPDIR: scratch },
    });
    if (!show) console.log(output);
    return judge(tier, { code, late, scratch });
  } finally {
    removeScratch(scratch);
  }
}

function testCommand(tier, files, scratch) {
  const test = [
    '--test',
    '--enable-source-maps',
    `--test-concurrency=${tier.concurrency}`,
    `--test-timeout=${(tier.fileMinutes ?? FILE_MINUTES) * 60_000}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(root, 'scripts/test-reporter.mjs')}`,
    `--test-reporter-destination=${join(scratch, 'result.json')}`,
    ...files,
  ];
  if (!tier.coverage) return [process.execPath, test];
  const thresholds = Object.entries(COVERAGE).map(([what, percent]) => `--${what}=${percent}`);
  const c8 = ['--reporter=text-summary', '--include=build/src/**', '--check-coverage', ...thresholds];
  return ['c8', [...c8, process.execPath, ...test]];
}

function judge(tier, { code, late, scratch }) {
  const leftovers = stopLeftovers(scratch);
  const file = join(scratch, 'result.json');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  const text = lines.at(-1) ?? '';
  // What a tier that was ended leaves behind says nothing.
  if (late) return endedEarly(tier, text);
  if (text === '') return failed(`tier ${tier.name}: node --test gave no result`, leftovers);
  const result = JSON.parse(text);
  if (result.passed + result.failed === 0) result.failures.push(`tier ${tier.name}: ran no test`);
  else if (code !== 0 && result.failed === 0) result.failures.push(`tier ${tier.name}: exit status ${code}`);
  result.failures.push(...leftovers);
  result.failed = Math.max(result.failed, result.failures.length);
  return result;
}

function endedEarly({ name, minutes }, text) {
  const result = text === '' ? failed() : JSON.parse(text);
  const till = `till then ${result.passed} passed, ${result.failed} failed`;
  result.failures.push(`tier ${name}: ended after ${minutes} minutes; ${till}`);
  result.failed += 1;
  return result;
}

function failed(...failures) {
  return { passed: 0, failed: failures.flat().length, skipped: 0, failures: failures.flat() };
}

/** Ends the programs that still name the scratch folder, and tells them and what lies in it. */
function stopLeftovers(scratch) {
  const found = readdirSync(scratch)
    .filter((name) => name.startsWith('qi-'))
    .map((name) => `left behind: ${join(scratch, name)}`);
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = commandLine(pid);
    if (!command.includes(scratch)) continue;
    found.push(`left behind: process ${pid}: ${command}`);
    process.kill(Number(pid), 'SIGKILL');
  }
  return found;
}

/** A tier that was ended may have left file systems mounted there. What cannot be removed is told, and is no reason to say no more. */
function removeScratch(scratch) {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${scratch}/`));
  for (const path of mounts.reverse()) spawnSync('umount', ['--lazy', path], { stdio: 'ignore' });
  try {
    rmSync(scratch, { recursive: true, force: true });
  } catch (error) {
    console.log(`Cannot remove ${scratch}: ${error.message}`);
  }
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    // It has ended.
    return '';
  }
}

function testFiles(dir) {
  if (!existsSync(join(root, dir))) return [];
  return readdirSync(join(root, dir), { recursive: true })
    .map((file) => join(dir, file))
    .filter((file) => basename(file).endsWith('.test.js'))
    .sort();
}

function summary({ tier, obstacle, passed, failed: lost, skipped, seconds }) {
  if (obstacle !== undefined) return `tier ${tier.name}: skipped: ${obstacle}`;
  return `tier ${tier.name}: ${passed} passed, ${lost} failed, ${skipped} skipped (${Math.round(seconds)} s)`;
}

function report(outcomes, clean) {
  const total = (key) => outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
  console.log('\nSummary');
  for (const outcome of outcomes) {
    console.log(summary(outcome));
    for (const failure of outcome.failures) console.log(`  ${failure}`);
    for (const each of outcome.unsteady ?? []) console.log(`  unsteady, passed alone: ${each}`);
  }
  if (!clean) console.log('lint or compilation: FAILED');
  console.log(`${(process.uptime() / 60).toFixed(1)} minutes in all`);
  console.log(`${total('passed')} passed, ${total('failed') + (clean ? 0 : 1)} failed`);
  return clean && total('failed') === 0;
}
