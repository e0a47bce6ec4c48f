/**
 * What machines cost the nodes of a large cluster, as a simulation: `node test/bench/cluster-load.mjs [HOSTS [MACHINES]]`,
 * 20 hosts with 200 machines each unless told otherwise.
 *
 * The agent is run against one real machine. What Pacemaker's scheduler makes of so many resources, crm_simulate(8) tells,
 * of the package pacemaker-cli-utils: it is the scheduler itself, given the state of a cluster that does not exist.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterState, INTERVALS } from './cluster-state.mjs';
import { Lab, tool } from './lab.mjs';

const LOOKS = 50;
const hosts = Number(process.argv[2] ?? 20);
const machines = Number(process.argv[3] ?? 200);

const dir = mkdtempSync(join(tmpdir(), 'qb-cluster-'));
const lab = new Lab(1);
try {
  await lab.time('qemu-init', 'start', 'm0');
  tellAgent();
  tellScheduler(hosts, machines);
} finally {
  lab.remove();
  rmSync(dir, { recursive: true, force: true });
}

/** Processor time and processes of the agent's two monitors, and what they come to on a node. */
function tellAgent() {
  const agent = join(dir, 'machine');
  const text = readFileSync(join(import.meta.dirname, '../../etc/ocf/machine'), 'utf8')
    .replace(/^tool=.*/m, `tool=${tool('qemu-init')}`)
    .replace(/^run=.*/m, `run=${join(lab.dir, 'run/qemu-init')}`);
  writeFileSync(agent, text, { mode: 0o755 });
  for (const { depth, seconds } of INTERVALS) {
    const ms = processorMs(agent, depth);
    const aMinute = (ms * machines * 60) / seconds / 1000;
    console.log(
      `monitor of depth ${depth}: ${ms.toFixed(1)} ms of processor time and ${processesOf(agent, depth)} programs; ` +
        `${machines} machines each ${seconds} s: ${aMinute.toFixed(1)} s a minute`,
    );
  }
}

function environment(depth) {
  return { PATH: process.env.PATH, QEMU_INIT_ROOT: lab.dir, OCF_RESKEY_machine: 'm0', OCF_CHECK_LEVEL: String(depth) };
}

/** Of one look, the mean of many: times(1p) of a shell that does nothing else. */
function processorMs(agent, depth) {
  const loop = `i=0; while [ $i -lt ${LOOKS} ]; do "$0" monitor || exit; i=$((i + 1)); done; times`;
  const out = execFileSync('sh', ['-c', loop, agent], { env: environment(depth), encoding: 'utf8' });
  const [user = 0, system = 0] = [...(out.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return ((user + system) * 1000) / LOOKS;
}

function processesOf(agent, depth) {
  const { stderr, error } = spawnSync('strace', ['-f', '-e', 'trace=execve', '-e', 'signal=none', agent, 'monitor'], {
    env: environment(depth),
    encoding: 'utf8',
  });
  return error === undefined ? stderr.match(/execve\(.*\) += 0$/gm)?.length : 'an unknown number of (no strace)';
}

function tellScheduler(hosts, machines) {
  const file = join(dir, 'cib.xml');
  writeFileSync(file, clusterState(hosts, machines));
  console.log(
    `cluster of ${hosts} hosts and ${hosts * machines} machines: its state is ${(statSync(file).size / 1e6).toFixed(1)} MB`,
  );
  if (spawnSync('crm_simulate', ['--version']).error) {
    console.log('crm_simulate is not there (apt-get install pacemaker-cli-utils): nothing known of the scheduler');
    return;
  }
  for (const [what, ...options] of [['nothing to do'], ['a node is lost', '--node-fail', 'node1']]) {
    const start = performance.now();
    const { stdout, status } = spawnSync('crm_simulate', ['--xml-file', file, '--run', ...options], {
      encoding: 'utf8',
      maxBuffer: 1e9,
    });
    const seconds = (performance.now() - start) / 1000;
    if (status !== 0) throw new Error(`crm_simulate ended with ${status}`);
    // The summary has a line an action, the state of the cluster one a resource.
    const actions = stdout.slice(stdout.indexOf('Transition Summary:')).match(/^ +\* (Start|Stop|Move|Recover) /gm);
    console.log(
      `scheduler, ${what}: ${seconds.toFixed(1)} s, machines started, moved or stopped: ${actions?.length ?? 0}`,
    );
  }
}
