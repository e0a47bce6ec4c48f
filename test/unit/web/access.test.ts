import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasToken, isOurHost, isOurOrigin, newToken, Tickets } from '../../../src/web/access.ts';

const facts = (host?: string, origin?: string, authorization?: string): Parameters<typeof isOurHost>[0] => ({
  host,
  origin,
  authorization,
});

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
  const ticket = tickets.issue('vnc/web');
  assert.ok(!tickets.take(ticket, 'console/web'));
  assert.ok(!tickets.take(ticket, 'vnc/web'), 'a wrong use spends it');
  const second = tickets.issue('vnc/web');
  assert.ok(tickets.take(second, 'vnc/web'));
  assert.ok(!tickets.take(second, 'vnc/web'));
  assert.ok(!tickets.take('', 'vnc/web'));
});

test('tickets that nobody takes do not pile up', () => {
  const tickets = new Tickets();
  const first = tickets.issue('vnc/web');
  for (let count = 0; count < 100; count += 1) tickets.issue('vnc/web');
  assert.ok(!tickets.take(first, 'vnc/web'));
});
