import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hasToken,
  isOfOtherSite,
  isOurHost,
  isOurOrigin,
  newToken,
  proxyUsers,
  Tickets,
  userOf,
} from '../../../src/web/access.ts';

const facts = (host?: string, origin?: string, authorization?: string): Parameters<typeof isOurHost>[0] => ({
  host,
  origin,
  authorization,
});

const VISITOR = { user: undefined, mayAct: true };

test('only names of this host are served, whatever the port of a tunnel is', () => {
  for (const host of ['127.0.0.1', '127.0.0.1:8780', 'localhost:9', '[::1]:8780', 'LOCALHOST']) {
    assert.ok(isOurHost(facts(host)), host);
  }
  for (const host of [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:80',
    '127.0.0.2',
    'localhost:80:80',
  ]) {
    assert.ok(!isOurHost(facts(host)), host);
  }
  assert.ok(isOurHost(facts('vm.example:443'), ['vm.example']));
});

test('what acts must be from a page of ours', () => {
  assert.ok(isOurOrigin(facts('localhost:8780', 'http://localhost:8780')));
  assert.ok(isOurOrigin(facts('vm.example', 'https://vm.example')));
  for (const origin of [
    undefined,
    'null',
    'http://localhost:8781',
    'http://localhost',
    'http://evil.example',
    'http://localhost:8780.evil.example',
  ]) {
    assert.ok(!isOurOrigin(facts('localhost:8780', origin)), origin);
  }
});

test('a token lets in only as a whole', () => {
  const token = newToken();
  assert.ok(hasToken(facts('h', undefined, `Bearer ${token}`), token));
  for (const word of [
    undefined,
    '',
    token,
    'Bearer ',
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `bearer ${token}`,
    `Basic ${token}`,
  ]) {
    assert.ok(!hasToken(facts('h', undefined, word), token), word);
  }
  assert.notEqual(newToken(), token);
});

test('a ticket is good once, and for one thing', () => {
  const tickets = new Tickets();
  const ticket = tickets.issue('vnc/web', VISITOR);
  assert.ok(!tickets.take(ticket, 'console/web'));
  assert.ok(!tickets.take(ticket, 'vnc/web'), 'a wrong use spends it');
  const second = tickets.issue('vnc/web', VISITOR);
  assert.ok(tickets.take(second, 'vnc/web'));
  assert.ok(!tickets.take(second, 'vnc/web'));
  assert.ok(!tickets.take('', 'vnc/web'));
});

test('tickets that nobody takes do not pile up', () => {
  const tickets = new Tickets();
  const first = tickets.issue('vnc/web', VISITOR);
  for (let count = 0; count < 100; count += 1) tickets.issue('vnc/web', VISITOR);
  assert.ok(!tickets.take(first, 'vnc/web'));
});

test('what a proxy names is a user only as a single plain name', () => {
  assert.equal(userOf('anna'), 'anna');
  assert.equal(userOf('anna@example.org'), 'anna@example.org');
  for (const value of [undefined, '', 'evil, anna', 'anna,anna', ' ', 'a\nb', 'x'.repeat(129), ['anna', 'evil']]) {
    assert.equal(userOf(value), undefined, String(value));
  }
});

test('pages of other sites are let in by no proxy', () => {
  const from = (site?: string): boolean => isOfOtherSite({ ...facts('h'), site });
  assert.deepEqual([from(), from('same-origin'), from('none')], [false, false, false]);
  assert.deepEqual([from('cross-site'), from('same-site'), from('')], [true, true, true]);
});

test('a ticket remembers whom it is for', () => {
  const tickets = new Tickets();
  const visitor = { user: 'anna', mayAct: false };
  assert.deepEqual(tickets.take(tickets.issue('vnc/web', visitor), 'vnc/web'), visitor);
});

test('users of a proxy may act when they are named, or when all may by word of who started the server', () => {
  const header = 'X-Remote-User';
  assert.equal(proxyUsers(undefined, undefined, true), undefined);
  assert.deepEqual(proxyUsers(header, undefined, false), { header, mayAct: [] });
  assert.deepEqual(proxyUsers(header, undefined, true), { header, mayAct: undefined });
  for (const all of [false, true])
    assert.deepEqual(proxyUsers(header, 'anna,ben', all), { header, mayAct: ['anna', 'ben'] });
});
