import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { clusterLayer } from '../support/cluster-layer.ts';
import { addMachineUser, makeNodes } from '../support/cluster-nodes.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { LIGHT, until } from '../support/lab.ts';
import { installProject, type Ran } from '../support/nspawn.ts';

/** What starting programs on a busy host may add to a time limit. */
const BUSY_MS = 10_000;

const AGENT = '/usr/lib/ocf/resource.d/qemu-init/machine';

/** Statuses of the OCF Resource Agent API. */
const [OK, GENERIC, INSTALLED, CONFIGURED, NOT_RUNNING] = [0, 1, 5, 6, 7];

const { archive = '', obstacle } = clusterLayer();

describe('ocf:qemu-init:machine', { skip: obstacle }, () => {
  const { nodes, shared } = makeNodes({ after: (body) => after(body) }, 1, archive);
  const [node] = nodes;
  assert.ok(node);
  const { host } = node;

  /** Runs an action of the agent as Pacemaker does. */
  const agent = (action: string, env: Record<string, string | number> = {}): Ran =>
    host.run(
      'agent=$1; action=$2; shift 2; exec env OCF_ROOT=/usr/lib/ocf OCF_RESKEY_machine=web "$@" "$agent" "$action"',
      AGENT,
      action,
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    );
  const code = (action: string, env: Record<string, string | number> = {}): number => agent(action, env).code;
  const must = (action: string, env: Record<string, string | number> = {}): void => {
    const ran = agent(action, env);
    assert.equal(ran.code, OK, `${action}: ${ran.stderr}`);
  };
  const state = (): string => JSON.parse(host.run('qemu-init status web --json').stdout)[0].state;
  const cause = (): string => JSON.parse(host.run('qemu-init status web --json').stdout)[0].lastEnd.cause;
  const qemu = (): string => host.sh('cat /run/qemu-init/web/qemu/pid');

  before(async () => {
    await node.boot();
    installProject(host);
    host.sh('echo web=web >>/etc/qemu/qemu-init.reg');
    addMachineUser(node, 'web', 801);
  });
  beforeEach(() => {
    host.run(
      'systemctl kill --signal=KILL qemu@web; while systemctl is-active -q qemu@web; do sleep 0.05; done; systemctl reset-failed',
    );
    guestDisk(shared, { name: 'web.img' });
    host.write('/etc/qemu/web-qemu.cfg', `${LIGHT}DSK1=/shared/web.img\nSTOPDELAY=60\n`);
    host.sh('chown qemu /shared/web.img; chmod 600 /shared/web.img');
  });

  test('ocf-tester passes', () => {
    const { code: status, stdout, stderr } = host.run('exec ocf-tester -v -n web -o machine=web "$1"', AGENT);
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /passed all tests/);
  });

  test('the machine runs in its own unit, and the shutdown of the node waits for the cluster before it stops machines', () => {
    must('start');
    must('start');
    assert.equal(host.show('qemu@web.service', 'MainPID'), qemu());
    assert.equal(host.show('qemu-cluster.service', 'ActiveState'), 'active');
    assert.match(host.show('qemu-cluster.service', 'Before'), /\bpacemaker\.service\b/);
    assert.match(host.show('qemu-cluster.service', 'After'), /\bqemu-stop\.service\b/);
    must('stop');
    assert.equal(cause(), 'guest-shutdown');
    assert.equal(host.show('qemu@web.service', 'ActiveState'), 'inactive');
  });

  test('a monitor starts no program, and needs neither the file, nor the registry, nor qemu-init', () => {
    must('start');
    host.sh('mv /etc/qemu /etc/away; mv /usr/bin/qemu-init /root/');
    try {
      const { code: status, stderr } = host.run('PATH=/nowhere OCF_RESKEY_machine=web exec "$1" monitor', AGENT);
      assert.deepEqual({ status, stderr }, { status: OK, stderr: '' });
      assert.equal(code('monitor', { OCF_CHECK_LEVEL: 10 }), OK);
      assert.match(host.run('OCF_RESKEY_machine= exec "$1" meta-data', AGENT).stdout, /<resource-agent name="machine"/);
    } finally {
      host.sh('mv /etc/away /etc/qemu; mv /root/qemu-init /usr/bin/');
    }
  });

  test('a QEMU that was killed, one that never ran, and a process that has its number now, are not running', () => {
    assert.equal(code('monitor'), NOT_RUNNING);
    must('start');
    const pid = qemu();
    host.sh(
      'cp /run/qemu-init/web/machine.json /root/; systemctl kill --signal=KILL qemu@web; while [ -e /proc/$1 ]; do sleep 0.05; done',
      pid,
    );
    assert.equal(code('monitor', { OCF_RESKEY_CRM_meta_interval: 10_000 }), NOT_RUNNING);
    // Another start time: the pid of the record is now that of another process.
    host.sh('while [ -e /run/qemu-init/web ]; do sleep 0.05; done; mkdir -m 700 /run/qemu-init/web');
    host.sh('sed "s/\\"pid\\": [0-9]*/\\"pid\\": 1/" /root/machine.json >/run/qemu-init/web/machine.json');
    assert.equal(code('monitor'), NOT_RUNNING);
    must('stop');
    must('start');
  });

  test('a machine that is paused is well at each depth; one that does not answer fails at depth 10 alone', () => {
    must('start');
    host.sh('qemu-init pause web');
    assert.equal(code('monitor', { OCF_CHECK_LEVEL: 10 }), OK);
    host.sh('qemu-init resume web; kill -STOP "$1"', qemu());
    assert.equal(code('monitor'), OK);
    const deep = agent('monitor', { OCF_CHECK_LEVEL: 10 });
    assert.equal(deep.code, GENERIC);
    assert.match(deep.stderr, /ocf-exit-reason:QEMU does not answer/);
    const began = Date.now();
    must('stop', { OCF_RESKEY_CRM_meta_timeout: 14_000 });
    assert.ok(Date.now() - began < 14_000 + BUSY_MS);
    assert.equal(code('monitor'), NOT_RUNNING);
  });

  test('monitor_guest=yes asks the guest agent too, and no agent is a failure of depth 10', () => {
    host.write('/etc/qemu/web-qemu.cfg', `${LIGHT.replace('QGA=off', 'QGA=on')}DSK1=/shared/web.img\n`);
    must('start');
    const deep = agent('monitor', { OCF_CHECK_LEVEL: 10, OCF_RESKEY_monitor_guest: 'yes' });
    assert.equal(deep.code, GENERIC);
    assert.match(deep.stderr, /ocf-exit-reason:the guest agent does not answer/);
    assert.equal(code('monitor', { OCF_RESKEY_monitor_guest: 'yes' }), OK);
    must('stop');
  });

  test('a guest that ignores the power button is down within the time of the operation, whatever STOPDELAY is', () => {
    guestDisk(shared, { name: 'web.img', deaf: true });
    must('start');
    const began = Date.now();
    must('stop', { OCF_RESKEY_CRM_meta_timeout: 20_000 });
    assert.ok(Date.now() - began < 20_000 + BUSY_MS);
    assert.equal(cause(), 'quit');
  });

  test('a stop succeeds without the file of the machine, without the registry and without qemu-init', () => {
    must('start');
    host.sh('mv /etc/qemu /etc/away');
    try {
      must('stop');
      must('stop');
      assert.equal(code('monitor'), NOT_RUNNING);
    } finally {
      host.sh('mv /etc/away /etc/qemu');
    }
    assert.equal(cause(), 'guest-shutdown');
    must('start');
    host.sh('mv /usr/bin/qemu-init /root/');
    try {
      must('stop');
      must('stop');
      assert.equal(code('monitor'), NOT_RUNNING);
      assert.equal(code('start'), INSTALLED);
    } finally {
      host.sh('mv /root/qemu-init /usr/bin/');
    }
    assert.equal(state(), 'stopped');
  });

  test('where nothing can be noted of what qemu-init says, the machine is started, watched and stopped all the same', () => {
    host.sh('rm -rf /run/qemu-init/.ocf; : >/run/qemu-init/.ocf');
    try {
      assert.equal(code('monitor'), NOT_RUNNING);
      must('start');
      must('start');
      must('monitor', { OCF_CHECK_LEVEL: 10 });
      must('stop');
      assert.equal(cause(), 'guest-shutdown');
      assert.match(
        agent('validate-all', { OCF_RESKEY_machine: 'nowhere' }).stderr,
        /ocf-exit-reason:nothing can be noted/,
      );
    } finally {
      host.sh('rm /run/qemu-init/.ocf');
    }
  });

  test('what is missing on this node is said to be, so that the cluster tries another one', async () => {
    host.sh('mv /shared/web.img /shared/away.img');
    const { code: status, stderr } = agent('start');
    assert.match(stderr, /ocf-exit-reason:.*"\/shared\/web\.img" does not exist/);
    assert.equal(status, INSTALLED);
    host.sh(
      'mv /shared/away.img /shared/web.img; sed -i /^web=/d /etc/qemu/qemu-init.reg; mv /etc/qemu/web-qemu.cfg /shared/',
    );
    assert.equal(code('start'), INSTALLED);
    // A machine that no node has registered is known by its file.
    const config = { OCF_RESKEY_config: '/shared/web-qemu.cfg' };
    assert.equal(code('monitor', config), NOT_RUNNING);
    must('start', config);
    must('monitor', config);
    must('stop', config);
    assert.equal(code('start', { OCF_RESKEY_config: '/shared/other-qemu.cfg' }), CONFIGURED);
    host.sh('echo web=web >>/etc/qemu/qemu-init.reg');
    await until('the unit is gone', () => host.show('qemu@web.service', 'ActiveState') === 'inactive');
  });

  test('validate-all refuses a machine that the host would start too, and one whose user has no UID yet', () => {
    must('validate-all');
    for (const line of ['AUTOSTART=on', 'RESTART=always', 'ONSHUTDOWN=save', 'REQUIRES=web2']) {
      host.write('/etc/qemu/web-qemu.cfg', `${LIGHT}DSK1=/shared/web.img\n${line}\n`);
      const { code: status, stderr } = agent('validate-all');
      assert.equal(status, CONFIGURED, line);
      assert.match(stderr, new RegExp(`ocf-exit-reason:.*${line.split('=')[0]} `));
    }
    host.write('/etc/qemu/web-qemu.cfg', `${LIGHT}DSK1=/shared/web.img\n`);
    host.sh('userdel qi-web 2>&1');
    assert.match(agent('validate-all').stderr, /"qi-web" does not exist yet; it must have the same UID on each node/);
  });
});
