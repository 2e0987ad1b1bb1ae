import {randomBytes} from 'node:crypto';
import {mkdirSync, readFileSync, statSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {
  type CertificateState,
  certificateSecret,
  certificateState,
  keptNames,
  requestSecret,
  type SuppliedTls,
} from '../../steps/certificates/supplied.ts';
import {clientNames} from '../../steps/shared/client-names.ts';
import {servedNames} from '../../steps/shared/deployment.ts';
import {writeDurably} from '../deployment/durable-file.ts';
import {makeDeploymentFolders} from '../deployment/paths.ts';
import {type Deployment, tls as tlsSchema} from '../deployment/schema.ts';
import {openVault, type Vault} from '../deployment/vault.ts';
import type {Failure} from '../engine/failure.ts';
import {isDnsLabel} from '../network/names.ts';
import {err, ok, type Result} from '../result.ts';
import {bundleOf, bundleToText, judgeKept} from '../tls/bundle.ts';
import {covers} from '../tls/coverage.ts';
import {type Examined, examine} from '../tls/examine.ts';
import {isUsable, type Verdict} from '../tls/judge.ts';
import {largestFile} from '../tls/limits.ts';
import type {FoundKey, InputFile, Unreadable} from '../tls/material.ts';
import {readPrivateKeyPem, samePublicKey} from '../tls/private-key.ts';
import {
  type CertificateRequest,
  createRequest,
  type KeyKind,
  requestedNames,
  requestFromText,
  requestToText,
} from '../tls/request.ts';
import {systemRoots} from '../tls/roots.ts';
import {clock} from './clock.ts';
import type {Site} from './site.ts';

/** Days before its end from which it is said of a certificate that belongs to no deployment. */
export const usualWarnDays = 30;

/** Files of this side, in memory. The error is a sentence. */
export const readInputFiles = (paths: readonly string[], home: string): Result<readonly InputFile[], string> => {
  const files: InputFile[] = [];
  for (const given of paths) {
    const path = given.startsWith('~/') ? join(home, given.slice(2)) : given;
    try {
      const stat = statSync(path);
      if (stat.isDirectory()) return err(`${given} is a folder: name the files in it`);
      if (stat.size > largestFile)
        return err(`${given} is larger than ${largestFile / 1024} KiB, and so no certificate`);
      files.push({name: basename(path), bytes: readFileSync(path)});
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      return err(missing ? `there is no file ${given}` : `${given} cannot be read`);
    }
  }
  return ok(files);
};

/** The vault of a deployment, whose passphrase was asked for before. */
export const certificateVault = (site: Site, deployment: string): Promise<Result<Vault, Failure>> => {
  const paths = site.paths.deployment(deployment);
  makeDeploymentFolders(paths);
  const passphrase = site.secrets.vaultPassphrase(deployment);
  return openVault(paths.vault, {...(passphrase !== undefined && {passphrase})});
};

export type WaitingRequest = CertificateRequest & {readonly name: string; readonly names: readonly string[]};

/** The public key of a certificate that the vault holds under a name. */
const keptKey = (vault: Vault, name: string): string | undefined => {
  const text = vault.get(certificateSecret(name));
  const key = text === undefined ? undefined : readPrivateKeyPem(text, undefined);
  return key?.ok ? key.value.publicKey : undefined;
};

const publicKeyOf = (pem: string): FoundKey | undefined => {
  const key = readPrivateKeyPem(pem, undefined);
  return key.ok ? {...key.value, file: 'vault'} : undefined;
};

/** Requests whose certificate has not come back: the vault never forgets one, so those that are installed are left out. */
export const waitingRequests = (vault: Vault): readonly WaitingRequest[] =>
  keptNames(requestSecret, vault.names()).flatMap(name => {
    const request = requestFromText(vault.get(requestSecret(name)) ?? '');
    if (!request.ok) return [];
    const installed = keptKey(vault, name);
    const own = publicKeyOf(request.value.key)?.publicKey;
    return installed && own && samePublicKey(installed, own)
      ? []
      : [{...request.value, name, names: requestedNames(request.value)}];
  });

/** Where a request lies for the CA. */
export const requestFile = (site: Site, deployment: string, name: string): string =>
  join(site.paths.deployment(deployment).folder, 'requests', `${name}.csr`);

const warnDaysOf = ({tls}: Deployment): number => (tls.mode === 'supplied' ? tls.warnDays : usualWarnDays);

/** What is to be thought of files, with the requests of a deployment that wait for their certificates. */
export const examineFor = async (
  vault: Vault,
  deployment: Deployment,
  files: readonly InputFile[],
  password: string | undefined,
): Promise<Result<Examined, Unreadable>> =>
  examine(files, {
    roots: systemRoots(),
    now: clock.now(),
    warnDays: warnDaysOf(deployment),
    ...(password !== undefined && {password}),
    waiting: waitingRequests(vault).flatMap(({key}) => publicKeyOf(key) ?? []),
  });

const suppliedTls = ({tls}: Deployment): SuppliedTls =>
  tls.mode === 'supplied' ? tls : (tlsSchema.parse({mode: 'supplied'}) as SuppliedTls);

/** `*.qa.example.org` as `qa-example-org`, not longer than a label may be. */
const labelFrom = (name: string): string => {
  const label = name.replace(/^\*\./, '').replaceAll('.', '-').slice(0, 63).replace(/-+$/, '');
  return isDnsLabel(label) ? label : 'certificate';
};

/**
 * Under which name a certificate is kept: that of the request that waited for it, that of the certificate whose names it
 * covers (it is the successor), that of a request for the same names, the first that is still missing, or one after its
 * first name.
 */
const nameFor = (vault: Vault, deployment: Deployment, verdict: Verdict, taken: readonly string[]): string => {
  const kept = keptNames(certificateSecret, vault.names()).filter(name => !taken.includes(name));
  const publicKey = verdict.leaf.publicKey.export({type: 'spki', format: 'pem'}).toString();
  const answered = waitingRequests(vault).find(({key}) => samePublicKey(publicKeyOf(key)?.publicKey ?? '', publicKey));
  const before = kept.find(name => {
    const now = judgeKept(vault.get(certificateSecret(name)) ?? '', {
      roots: systemRoots(),
      now: clock.now(),
      warnDays: 0,
    });
    return now.ok && now.value.leaf.names.every(each => covers(verdict.leaf.names, each));
  });
  const free = suppliedTls(deployment).certificates.find(
    name =>
      !taken.includes(name) &&
      vault.get(certificateSecret(name)) === undefined &&
      vault.get(requestSecret(name)) === undefined,
  );
  // A CA that made the key itself: what was asked for is here, though not for the key that waits.
  const instead = waitingRequests(vault).find(
    request =>
      !taken.includes(request.name) &&
      vault.get(certificateSecret(request.name)) === undefined &&
      request.names.every(each => covers(verdict.leaf.names, each)),
  );
  const name = answered?.name ?? before ?? instead?.name ?? free;
  if (name !== undefined) return name;
  const label = labelFrom(verdict.leaf.names[0] ?? 'main');
  const used = [...taken, ...keptNames(certificateSecret, vault.names())];
  return Array.from({length: used.length + 1}, (_, index) => (index === 0 ? label : `${label}-${index + 1}`)).find(
    each => !used.includes(each),
  ) as string;
};

/** The deployment with certificates of these names, without those of which nothing is there. */
const withCertificates = (deployment: Deployment, vault: Vault, names: readonly string[]): Deployment => {
  const tls = suppliedTls(deployment);
  const there = tls.certificates.filter(
    name => vault.get(certificateSecret(name)) !== undefined || vault.get(requestSecret(name)) !== undefined,
  );
  return {...deployment, tls: {...tls, certificates: [...new Set([...there, ...names])]}};
};

export type Kept = {
  readonly names: readonly string[];
  /** With the certificates in its list; what a caller saves, or tells to write down. */
  readonly deployment: Deployment;
};

/** Puts certificates that were judged usable into the vault. The wish for a name holds for a single one. */
export const keepCertificates = async (
  vault: Vault,
  deployment: Deployment,
  examined: Examined,
  wished?: string,
): Promise<Result<Kept, Failure>> => {
  const names: string[] = [];
  // What covers most comes first, so that it gets the first name.
  const wanted = [...servedNames(deployment), ...clientNames(deployment)];
  const weight = ({leaf}: Verdict): number => wanted.filter(name => covers(leaf.names, name)).length;
  const ordered = examined.certificates.toSorted((a, b) => weight(b.verdict) - weight(a.verdict));
  for (const {supply, verdict} of ordered) {
    const bundle = isUsable(verdict) ? bundleOf(verdict, supply) : undefined;
    if (!bundle) continue;
    const name = wished ?? nameFor(vault, deployment, verdict, names);
    const kept = await vault.set(certificateSecret(name), bundleToText(bundle));
    if (!kept.ok) return kept;
    names.push(name);
  }
  return ok({names, deployment: withCertificates(deployment, vault, names)});
};

export type RequestOptions = {
  readonly name?: string;
  /** Default: the domain, and one level below it, of the deployment and of each environment. */
  readonly names?: readonly string[];
  /** One name for each service, for CAs that give no wildcards. */
  readonly each?: boolean;
  readonly subject?: string;
  readonly kind?: KeyKind;
};

export type Requested = {
  readonly name: string;
  readonly file: string;
  readonly names: readonly string[];
  readonly deployment: Deployment;
};

/**
 * Makes a request: the key into the vault first, then the request into the deployment's folder. One that waits already is
 * made anew with the same key, so that what the CA signs for either of the two fits.
 */
export const makeRequest = async (
  site: Site,
  vault: Vault,
  deployment: Deployment,
  {name = suppliedTls(deployment).certificates[0] ?? 'main', names, each = false, subject, kind = 'ec'}: RequestOptions,
): Promise<Result<Requested, Failure>> => {
  const wanted = names ?? (each ? clientNames(deployment) : servedNames(deployment));
  const waiting = waitingRequests(vault).find(request => request.name === name);
  const made = await createRequest({
    names: wanted,
    kind,
    ...(subject && {subject}),
    ...(waiting && {key: waiting.key}),
  });
  if (!made.ok) return err({kind: 'input', message: `The request cannot be made: ${made.error}.`});
  const kept = await vault.set(requestSecret(name), requestToText(made.value));
  if (!kept.ok) return kept;
  const file = requestFile(site, deployment.name, name);
  try {
    mkdirSync(dirname(file), {recursive: true, mode: 0o700});
    writeDurably(file, made.value.request, randomBytes(6).toString('hex'));
  } catch (error) {
    return err({
      kind: 'input',
      message: `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Make room or correct the rights there, then make the request again: its key is kept.',
    });
  }
  return ok({name, file, names: wanted, deployment: withCertificates(deployment, vault, [name])});
};

/** What is to be said of the certificates of a deployment now. */
export const stateOf = (vault: Vault, deployment: Deployment): CertificateState =>
  certificateState(deployment, {get: vault.get, now: clock.now()});

/** Why an installation cannot begin because of its certificates; undefined when it can. Asks no host. */
export const certificateRefusal = (vault: Vault, deployment: Deployment): Failure | undefined => {
  const [first, ...others] = stateOf(vault, deployment).errors;
  return first === undefined
    ? undefined
    : {
        kind: 'preflight',
        attempted: 'looking at the certificates in the vault',
        message: `The certificates are not ready, so no host was touched. ${first}`,
        ...(others.length > 0 && {tail: others}),
        remedy: `\`groundwork certificates list --deployment ${deployment.name}\` says what is there and what is wanted.`,
      };
};
