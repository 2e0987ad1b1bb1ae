import {type CertificateState, certificateSecret} from '../../steps/certificates/supplied.ts';
import {covers} from '../tls/coverage.ts';
import type {Examined} from '../tls/examine.ts';
import {day, type Finding, isError} from '../tls/findings.ts';
import {isUsable, type Verdict} from '../tls/judge.ts';
import type {WaitingRequest} from './certificate-operations.ts';

const words: Readonly<Record<Finding['severity'], string>> = {error: 'WRONG', warning: 'warning', note: 'note'};

const findingLines = ({severity, message, remedy}: Finding): readonly string[] => [
  `  ${words[severity].padEnd(8)} ${message}`,
  ...(severity !== 'note' && remedy ? [`           ${remedy}`] : []),
];

/** A verdict in plain words: what it is, who vouches for it, how long it lasts, what is wrong with it. */
export const verdictLines = (
  {leaf, chain, root, findings, daysLeft}: Verdict,
  title = leaf.title,
): readonly string[] => [
  `${title}: ${findings.some(isError) ? 'CANNOT BE USED' : 'can be used'}`,
  `  names    ${leaf.names.join(', ') || 'none'}`,
  `  issued   ${
    root
      ? chain.path
          .slice(1)
          .map(each => each.title)
          .join(' < ')
      : `by ${leaf.issuerTitle}`
  }`,
  `  valid    until ${day(leaf.native.validToDate)}${daysLeft >= 0 ? `, ${daysLeft} days from now` : ''}`,
  ...findings.flatMap(findingLines),
];

/** For each name whether one of the certificates stands for it: the table that the operator compares with the order. */
export const coverageLines = (verdicts: readonly Verdict[], names: readonly string[]): readonly string[] => {
  const width = Math.max(0, ...names.map(name => name.length));
  return names.map(name => {
    const by = verdicts.find(verdict => isUsable(verdict) && covers(verdict.leaf.names, name));
    const entry = by?.leaf.names.find(each => covers([each], name));
    return `  ${by ? 'covered' : 'NOT    '}  ${name.padEnd(width)}${entry ? `  by ${entry}` : ''}`.trimEnd();
  });
};

/** Everything that was found in files. */
export const examinedLines = ({certificates, findings, passedOver}: Examined): readonly string[] => [
  ...certificates.flatMap(({verdict}) => verdictLines(verdict)),
  ...findings.flatMap(findingLines),
  ...passedOver.map(file => `  passed over: ${file}`),
];

/** What the vault holds for a deployment, what is with the CA, and what is missing. */
export const stateLines = (
  {verdicts, missing, errors, warnings}: CertificateState,
  requests: readonly (WaitingRequest & {readonly file: string})[],
): readonly string[] => [
  ...verdicts.flatMap(({name, verdict}) => verdictLines(verdict, name)),
  ...requests.flatMap(({name, names, file}) => [
    `${name}: waiting for the CA`,
    `  names    ${names.join(', ')}`,
    `  request  ${file}`,
  ]),
  ...missing.map(name => `${name}: missing (the vault has no ${certificateSecret(name)})`),
  ...(errors.length > 0 ? ['', ...errors.map(each => `WRONG: ${each}`)] : []),
  ...warnings.map(each => `warning: ${each}`),
];

/** The same for scripts; nothing secret is in it. */
export const verdictJson = ({leaf, chain, root, isPrivate, findings, daysLeft}: Verdict) => ({
  subject: leaf.title,
  names: leaf.names,
  chain: chain.path.slice(1).map(({title}) => title),
  root: root?.title,
  privateRoot: isPrivate,
  notAfter: leaf.native.validToDate.toISOString(),
  daysLeft,
  usable: !findings.some(isError),
  findings,
});
