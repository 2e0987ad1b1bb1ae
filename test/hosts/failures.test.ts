import {expect, test} from 'vitest';
import {endpoint, handshakeFailed, lastLines, quotable, unreachable} from '../../source/hosts/failures.ts';

test('what a host printed is quoted without control sequences, its last lines only', () => {
  const text = 'one\r\n\u001b[31mtwo\u001b[0m\u0007\n\n\u001b]0;title\u0007three\rfour   \n';
  expect(lastLines(text, 3)).toEqual(['two', 'three', 'four']);
  expect(quotable('\u009b2J gone\u0000')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
});

test('an endpoint is written so that the port can be told from the address', () => {
  expect([endpoint('10.0.0.1', 22), endpoint('fd00::1', 22)]).toEqual(['10.0.0.1:22', '[fd00::1]:22']);
});

test.each([
  ['ECONNREFUSED', 'Nothing answers at 10.0.0.1:22', true],
  ['EHOSTUNREACH', 'There is no way to 10.0.0.1:22', true],
  ['ENETUNREACH', 'no route to that network', true],
  ['ETIMEDOUT', 'No answer from 10.0.0.1:22', true],
  ['ENOTFOUND', 'does not resolve', undefined],
  ['EAI_AGAIN', 'could not be looked up', true],
  ['ECONNRESET', 'closed the connection at once', true],
])('%s has a message, a cause and a remedy', (code, message, transient) => {
  const failure = unreachable('h1', '10.0.0.1', 22, Object.assign(new Error('x'), {code}));
  expect(failure).toMatchObject({kind: 'unreachable', host: 'h1', message: expect.stringContaining(message)});
  expect(failure.cause && failure.remedy).toBeTruthy();
  expect(failure.transient).toBe(transient);
});

test('of a name with several addresses, the first fault is told', () => {
  const refused = Object.assign(new Error('refused'), {code: 'ECONNREFUSED'});
  expect(unreachable('h1', 'db', 22, new AggregateError([refused])).message).toContain('refused');
});

test('an unknown fault is told as the system tells it', () => {
  expect(unreachable('h1', '10.0.0.1', 22, new Error('odd thing'))).toMatchObject({cause: 'odd thing'});
});

test.each([
  ['Handshake failed: no matching key exchange algorithm', 'have no key exchange algorithm in common'],
  ['Handshake failed: no matching host key format', 'have no host key format in common'],
  ['Timed out while waiting for handshake', 'did not finish the SSH handshake'],
  ['Connection lost before handshake', 'closed the connection at once'],
  ['Invalid identification string', 'does not speak SSH'],
  ['anything else', 'broke off'],
])('a handshake that fails with "%s" is explained', (text, message) => {
  const failure = handshakeFailed('h1', '10.0.0.1', 22, new Error(text));
  expect(failure.message).toContain(message);
  expect(failure.remedy).toBeTruthy();
});
