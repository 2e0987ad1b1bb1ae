import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import ssh2 from 'ssh2';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {keyIn, newKey} from '../../source/practice/keys.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'groundwork-keys-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

test('a key is made once, for its owner alone, and OpenSSH reads it', () => {
  const path = join(folder, 'key');
  const made = keyIn(path, 'practice');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(keyIn(path, 'practice')).toEqual(made);
  const judged = spawnSync('ssh-keygen', ['-l', '-f', path], {encoding: 'utf8'}).stdout;
  expect(judged).toContain(`256 ${made.publicKey.fingerprint} practice (ED25519)`);
});

test('a key that ssh2 spoils is never given out', () => {
  // Of a private key whose public half began with a zero byte; ssh2 wrote it with 31 bytes of that half.
  const spoilt = {
    private: `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMgAAAAtz
c2gtZWQyNTUxOQAAAB9CsQWP2sBFJWWKtVyk0MhiVf4U5oBEdRQi0fegDgSDAAAA
kGf/Sexn/0nsAAAAC3NzaC1lZDI1NTE5AAAAH0KxBY/awEUlZYq1XKTQyGJV/hTm
gER1FCLR96AOBIMAAAA/rsI0rGkiOv0RE03JIKn6k86z7NFMyvsfk8DtMBgWwcBC
sQWP2sBFJWWKtVyk0MhiVf4U5oBEdRQi0fegDgSDAAAACHByYWN0aWNlAQIDBAUG
Bw==
-----END OPENSSH PRIVATE KEY-----
`,
    public: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAH0KxBY/awEUlZYq1XKTQyGJV/hTmgER1FCLR96AOBIM= practice',
  };
  expect(ssh2.utils.parseKey(spoilt.private)).toBeInstanceOf(Error);
  const good = ssh2.utils.generateKeyPairSync('ed25519');
  const offered = [spoilt, spoilt, good];
  const generate = (() => offered.shift()) as unknown as typeof ssh2.utils.generateKeyPairSync;
  expect(newKey('practice', generate)).toEqual(good);
});
