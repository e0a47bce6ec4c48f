import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { AgentClient } from '../../../src/qmp/agent/agent-client.ts';

/** What an agent of a hostile or slow guest does with each command; `say` sends bytes as they are. */
type Behaviour = (command: Readonly<Record<string, unknown>>, say: (text: string | Buffer) => void) => void;

/** A stream with an agent behind it that keeps step, and does what is given with all other commands. */
function agentStream(t: TestContext, behave: Behaviour, before: Buffer = Buffer.alloc(0)) {
  const [ours, theirs] = duplexPair();
  t.after(() => [ours, theirs].forEach((each) => void each.destroy()));
  let text = '';
  const say = (bytes: string | Buffer): void => void theirs.write(bytes);
  say(before);
  theirs.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      // As qemu-ga does, it takes offence at the byte that makes it start afresh.
      if (line.startsWith('\xff')) say('{"error": {"class": "GenericError", "desc": "JSON parse error, stray"}}\n');
      const command: Record<string, unknown> = JSON.parse(line.replace('\xff', ''));
      if (command['execute'] !== 'guest-sync-delimited') behave(command, say);
      else {
        const mark = Object(command['arguments']).id;
        say(Buffer.concat([Buffer.from([0xff]), Buffer.from(`{"return": ${mark}, "id": ${command['id']}}\n`)]));
      }
    }
  });
  theirs.on('error', () => {});
  return { stream: ours, peer: theirs };
}

function answer(value: unknown, id: unknown): string {
  return `${JSON.stringify({ return: value, id })}\n`;
}

test('what an earlier client has left, a half line of 40 MB as well, is thrown away without being kept', async (t) => {
  const left = Buffer.alloc(40 << 20, 'A');
  const { stream } = agentStream(t, ({ id }, say) => say(answer({}, id)), left);
  const agent = await AgentClient.open(stream, { maxLineBytes: 1000 });
  await agent.ping();
});

test('an answer that comes after its time is not taken for that of the next command', async (t) => {
  const late: string[] = [];
  const { stream } = agentStream(t, ({ execute, id }, say) => {
    if (execute === 'guest-get-users') late.push(answer('thawed', id), answer('thawed', undefined));
    else for (const line of [...late.splice(0), answer('frozen', id)]) say(line);
  });
  const agent = await AgentClient.open(stream);
  await assert.rejects(agent.users({ timeoutMs: 20 }), { code: 'QEMU_TIMEOUT' });
  assert.equal(await agent.freezeStatus(), 'frozen');
});

test('commands that are called at once are answered each by its own, however the agent numbers and orders others', async (t) => {
  const { stream } = agentStream(t, ({ execute, id }, say) => {
    say(answer('of nobody', 4711) + answer('of nobody', Number(id) + 1));
    say(answer(execute, id));
  });
  const agent = await AgentClient.open(stream);
  assert.deepEqual(await Promise.all([agent.execute('guest-a'), agent.execute('guest-b')]), ['guest-a', 'guest-b']);
});

test('an agent that repeats no ids is understood', async (t) => {
  const [ours, theirs] = duplexPair();
  theirs.on('data', (chunk: Buffer) => {
    for (const [, mark] of chunk.toString('latin1').matchAll(/"arguments":\{"id":(\d+)/g))
      theirs.write(Buffer.from(`\xff{"return": ${mark}}\n`, 'latin1'));
    if (chunk.includes('guest-fsfreeze-status')) theirs.write('{"return": "thawed"}\n');
  });
  const agent = await AgentClient.open(ours);
  assert.equal(await agent.freezeStatus(), 'thawed');
  t.after(() => agent.close());
});

test('an endless answer ends its command, and the next one is answered', async (t) => {
  const { stream } = agentStream(t, ({ execute, id }, say) => {
    if (execute === 'guest-ping') say(answer({}, id));
    else for (let at = 0; at < 100; at += 1) say('x'.repeat(10_000));
  });
  const agent = await AgentClient.open(stream, { maxLineBytes: 100_000 });
  await assert.rejects(agent.info(), { code: 'QEMU_QMP_PROTOCOL' });
  await agent.ping();
});

test('answers that do not fit their commands are refused, whatever is in them', async (t) => {
  const values: unknown[] = [];
  const { stream } = agentStream(t, ({ id }, say) => say(answer(values[0], id)));
  const agent = await AgentClient.open(stream);
  const calls: readonly [unknown, () => Promise<unknown>][] = [
    [{ version: 7, supported_commands: [] }, () => agent.info()],
    ['eth0', () => agent.networkInterfaces()],
    [
      [{ name: 'a', 'ip-addresses': [{ 'ip-address': '::1', 'ip-address-type': 'ipv6', prefix: 129 }] }],
      () => agent.networkInterfaces(),
    ],
    [[{ user: 'root', 'login-time': 1e300 }], () => agent.users()],
    [[null], () => agent.fileSystems()],
    ['now', () => agent.time()],
    [-1, () => agent.freeze()],
    ['melting', () => agent.freezeStatus()],
    [{ pid: '1' }, () => agent.exec('/bin/true')],
    [{}, () => agent.readFile('/etc/passwd').next()],
  ];
  for (const [value, call] of calls) {
    values[0] = value;
    await assert.rejects(call(), { code: 'QEMU_QMP_BAD_REPLY' }, String(call));
  }
});

test('a file is neither longer in its pieces than asked for nor empty without end, and is closed in every case', async (t) => {
  const closed: unknown[] = [];
  let piece: object = {};
  const { stream } = agentStream(t, ({ execute, id, arguments: args }, say) => {
    if (execute === 'guest-file-close') closed.push(Object(args).handle);
    say(answer(execute === 'guest-file-open' ? 7 : execute === 'guest-file-read' ? piece : {}, id));
  });
  const agent = await AgentClient.open(stream);
  const pieces = [
    { 'buf-b64': '', count: 0, eof: false },
    { 'buf-b64': 'A'.repeat(4 << 20), count: 1, eof: false },
    { 'buf-b64': '!', count: 1, eof: false },
  ];
  for (piece of pieces) await assert.rejects(agent.readFile('/x').next(), { code: 'QEMU_QMP_BAD_REPLY' });
  assert.deepEqual(closed, [7, 7, 7]);
});

test('a stream without an agent costs its time limit, and one that ends or is given up not even that', async (t) => {
  const [silent] = duplexPair();
  await assert.rejects(AgentClient.open(silent, { timeoutMs: 10 }), { code: 'QEMU_TIMEOUT' });
  assert.equal(silent.destroyed, true);
  const [gone, peer] = duplexPair();
  peer.end();
  await assert.rejects(AgentClient.open(gone), { code: 'QEMU_QMP_CLOSED' });
  const { stream } = agentStream(t, () => {});
  const agent = await AgentClient.open(stream);
  const stop = new AbortController();
  const ping = agent.ping({ signal: stop.signal });
  stop.abort();
  await assert.rejects(ping, { code: 'QEMU_ABORTED' });
  const last = agent.ping();
  agent.close();
  await assert.rejects(last, { code: 'QEMU_QMP_CLOSED' });
});

test('a freeze that is given up has a thaw behind it, and one that is refused or done has none', async (t) => {
  const asked: unknown[] = [];
  let reply: object | undefined;
  const { stream } = agentStream(t, ({ execute, id }, say) => {
    asked.push(execute);
    if (execute === 'guest-ping') say(answer({}, id));
    else if (reply) say(`${JSON.stringify({ ...reply, id })}\n`);
  });
  const agent = await AgentClient.open(stream);
  await assert.rejects(agent.freeze(['/'], { timeoutMs: 20 }), { code: 'QEMU_TIMEOUT' });
  const stop = new AbortController();
  const frozen = agent.freeze(undefined, { signal: stop.signal });
  stop.abort();
  await assert.rejects(frozen, { code: 'QEMU_ABORTED' });
  reply = { error: { class: 'GenericError', desc: 'no' } };
  await agent.ping();
  await assert.rejects(agent.freeze(), { code: 'QEMU_QMP_REFUSED' });
  reply = { return: 2 };
  assert.equal(await agent.freeze(), 2);
  const thaw = 'guest-fsfreeze-thaw';
  assert.deepEqual(asked.slice(0, 2), ['guest-fsfreeze-freeze-list', thaw]);
  assert.deepEqual(asked.slice(-3), ['guest-ping', 'guest-fsfreeze-freeze', 'guest-fsfreeze-freeze']);
  assert.equal(asked.filter((each) => each === thaw).length, 2);
});

test('a shutdown is taken when the agent goes on or is gone, and refused when it says so', async (t) => {
  let [refuse, leave] = [true, false];
  const { stream, peer } = agentStream(t, ({ execute, id }, say) => {
    if (execute === 'guest-shutdown' && refuse)
      say(`{"error": {"class": "GenericError", "desc": "no"}, "id": ${id}}\n`);
    if (execute === 'guest-shutdown' && leave) peer.end();
    else if (execute === 'guest-ping') say(answer({}, id));
  });
  const agent = await AgentClient.open(stream);
  await assert.rejects(agent.shutdown(), {
    code: 'QEMU_QMP_REFUSED',
    message: 'Guest agent refused "guest-shutdown": no',
  });
  refuse = false;
  await agent.shutdown();
  leave = true;
  await agent.shutdown();
});
