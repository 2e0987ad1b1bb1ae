import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {clientNames} from '../../steps/shared/client-names.ts';
import {servedNames} from '../../steps/shared/deployment.ts';
import type {CertificateServices, FolderEntry, JudgedFiles, NotRead, Remark} from '../app/services.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {Vault} from '../deployment/vault.ts';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {covers} from '../tls/coverage.ts';
import type {Examined} from '../tls/examine.ts';
import {day, type Finding, isError} from '../tls/findings.ts';
import {isUsable, type Verdict} from '../tls/judge.ts';
import {largestFile} from '../tls/limits.ts';
import {
  certificateVault,
  examineFor,
  keepCertificates,
  makeRequest,
  readInputFiles,
  requestFile,
  stateOf,
  waitingRequests,
} from './certificate-operations.ts';
import type {Site} from './site.ts';

const told = ({message, remedy}: Failure): string => [message, remedy].filter(text => text !== undefined).join(' ');

const remarkOf = ({severity, message, remedy}: Finding): Remark => ({
  severity,
  text: [message, severity === 'note' ? undefined : remedy].filter(text => text !== undefined).join(' '),
});

const nameOf = ({leaf}: Verdict): string => leaf.names.join(', ') || leaf.title;

const judged = (deployment: Deployment, {certificates, findings}: Examined): JudgedFiles => {
  const verdicts = certificates.map(({verdict}) => verdict);
  const certified = verdicts.filter(isUsable).flatMap(({leaf}) => leaf.names);
  const open = clientNames(deployment).filter(name => !covers(certified, name));
  const usable = verdicts.length > 0 && verdicts.every(isUsable) && !findings.some(isError);
  return {
    usable,
    summary: verdicts
      .map(
        each =>
          `${nameOf(each)}: ${isUsable(each) ? `can be used until ${day(each.leaf.native.validToDate)}.` : 'cannot be used.'}`,
      )
      .join(' '),
    remarks: [
      ...[...findings, ...verdicts.flatMap(each => each.findings)].map(remarkOf),
      ...(usable && open.length > 0
        ? [{severity: 'warning' as const, text: `Not covered by these files: ${open.join(', ')}`}]
        : []),
      ...(usable && open.length === 0
        ? [{severity: 'good' as const, text: 'They cover every name of this deployment.'}]
        : []),
    ],
  };
};

/** What may be a certificate, and the folders beside it. */
const entriesOf = (path: string): readonly FolderEntry[] | undefined => {
  try {
    return readdirSync(path, {withFileTypes: true})
      .filter(({name}) => !name.startsWith('.'))
      .flatMap((entry): readonly FolderEntry[] => {
        const stat = statSync(join(path, entry.name), {throwIfNoEntry: false});
        if (stat?.isDirectory()) return [{name: entry.name, folder: true}];
        return stat?.isFile() && stat.size <= largestFile ? [{name: entry.name, folder: false}] : [];
      })
      .toSorted((a, b) => Number(a.folder) - Number(b.folder) || a.name.localeCompare(b.name));
  } catch {
    return undefined;
  }
};

export const certificateServices = (site: Site): CertificateServices => {
  const withVault = async <T, E>(
    deployment: Deployment,
    failed: (message: string) => E,
    work: (vault: Vault) => Promise<Result<T, E>>,
  ): Promise<Result<T, E>> => {
    const vault = await certificateVault(site, deployment.name);
    return vault.ok ? work(vault.value) : err(failed(told(vault.error)));
  };

  const look = (
    deployment: Deployment,
    paths: readonly string[],
    password: string,
  ): Promise<Result<{readonly examined: Examined; readonly vault: Vault}, NotRead>> =>
    withVault(
      deployment,
      message => ({needsPassword: false, message}),
      async vault => {
        const files = readInputFiles(paths, site.world.home);
        if (!files.ok) return err({needsPassword: false, message: files.error});
        const examined = await examineFor(vault, deployment, files.value, password === '' ? undefined : password);
        if (examined.ok) return ok({examined: examined.value, vault});
        return err({needsPassword: examined.error.reason !== 'unreadable', message: examined.error.message});
      },
    );

  return {
    startFolder: site.world.home,
    folder: entriesOf,
    requestNames: (deployment, each) => (each ? clientNames(deployment) : servedNames(deployment)),
    state: async deployment => {
      const vault = await certificateVault(site, deployment.name);
      if (!vault.ok) return {certificates: [], remarks: [{severity: 'error', text: told(vault.error)}]};
      const {verdicts, missing, errors, warnings} = stateOf(vault.value, deployment);
      const waiting = waitingRequests(vault.value);
      return {
        certificates: [
          ...verdicts.map(({name, verdict}) => ({
            name,
            severity: isUsable(verdict) ? ('good' as const) : ('error' as const),
            text: `${isUsable(verdict) ? `until ${day(verdict.leaf.native.validToDate)}` : 'cannot be used'}: ${nameOf(verdict)}`,
          })),
          ...waiting.map(({name}) => ({
            name,
            severity: 'warning' as const,
            text: `waiting for the CA: ${requestFile(site, deployment.name, name)}`,
          })),
          ...missing.map(name => ({
            name,
            severity: 'warning' as const,
            text: 'is still missing; import it or make a request',
          })),
        ],
        remarks: [
          ...errors.map(text => ({severity: 'error' as const, text})),
          ...warnings.map(text => ({severity: 'warning' as const, text})),
        ],
      };
    },
    examine: async (deployment, paths, password) => {
      const found = await look(deployment, paths, password);
      return found.ok ? ok(judged(deployment, found.value.examined)) : found;
    },
    keep: async (deployment, paths, password) => {
      const found = await look(deployment, paths, password);
      if (!found.ok) return err(found.error.message);
      const {examined, vault} = found.value;
      if (!judged(deployment, examined).usable) return err('These files cannot be used; nothing was kept.');
      const kept = await keepCertificates(vault, deployment, examined);
      return kept.ok ? ok({names: kept.value.names, tls: kept.value.deployment.tls}) : err(told(kept.error));
    },
    request: (deployment, {name, each, subject, kind}) =>
      withVault(
        deployment,
        message => message,
        async vault => {
          const made = await makeRequest(site, vault, deployment, {
            name,
            each,
            kind,
            ...(subject.trim() !== '' && {subject}),
          });
          return made.ok ? ok({file: made.value.file, tls: made.value.deployment.tls}) : err(told(made.error));
        },
      ),
  };
};
