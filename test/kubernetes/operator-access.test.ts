import {describe, expect, it} from 'vitest';
import {parse, stringify} from 'yaml';
import {forOperator} from '../../source/kubernetes/operator-access.ts';

const data = (text: string) => Buffer.from(text).toString('base64');

const original = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    {name: 'default', cluster: {server: 'https://127.0.0.1:6443', 'certificate-authority-data': data('authority')}},
  ],
  contexts: [{name: 'default', context: {cluster: 'default', user: 'default'}}],
  'current-context': 'default',
  users: [{name: 'default', user: {'client-certificate-data': data('certificate'), 'client-key-data': data('key')}}],
};

const made = (text: string) => forOperator(text, {name: 'demo', address: '10.0.0.11'});

describe('a kubeconfig for the operator', () => {
  it('reaches the server from elsewhere, under the deployment’s own name', () => {
    const found = made(stringify(original));
    if (!found.ok) throw new Error(found.error);
    expect(parse(found.value)).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {name: 'demo', cluster: {server: 'https://10.0.0.11:6443', 'certificate-authority-data': data('authority')}},
      ],
      users: [
        {name: 'demo-admin', user: {'client-certificate-data': data('certificate'), 'client-key-data': data('key')}},
      ],
      contexts: [{name: 'demo', context: {cluster: 'demo', user: 'demo-admin'}}],
      'current-context': 'demo',
    });
  });

  it('takes nothing over from a host that would run programs or switch checks off', () => {
    const hostile = structuredClone(original) as typeof original & {
      users: [{user: object}];
      clusters: [{cluster: object}];
    };
    Object.assign(hostile.users[0]!.user, {exec: {command: 'canary'}});
    Object.assign(hostile.clusters[0]!.cluster, {'insecure-skip-tls-verify': true, 'proxy-url': 'http://evil.example'});
    const found = made(stringify(hostile));
    expect(found.ok && found.value).not.toMatch(/exec|canary|insecure|proxy/);
  });

  it('is refused without a word of what was read', () => {
    for (const text of ['', '{', 'users: []', stringify({...original, users: []}), `: ${data('key')}: [`]) {
      const found = made(text);
      expect(found.ok).toBe(false);
      expect(JSON.stringify(found)).not.toContain(data('key'));
    }
  });
});
