import {certificateSecret} from '../../steps/certificates/supplied.ts';
import {type Made, openWorkshop, type Workshop} from './pki.ts';

/** The CA of an organisation, as a department has it. */
export type Department = {
  readonly workshop: Workshop;
  readonly root: Made;
  readonly issuing: Made;
  /** A certificate for these names: domain names and wildcards. */
  readonly issue: (names: readonly string[], days?: number) => Made;
  /** What the vault holds of a certificate, by the name of the secret. */
  readonly kept: (name: string, made: Made) => readonly [string, string];
};

export const openDepartment = (): Department => {
  const workshop = openWorkshop();
  const root = workshop.authority('Ministry Root');
  const issuing = workshop.authority('Ministry Issuing CA', {by: root});
  return {
    workshop,
    root,
    issuing,
    issue: (names, days = 90) =>
      workshop.make({by: issuing, cn: names[0] ?? '', names: names.map(name => `DNS:${name}`), days}),
    kept: (name, made) => [
      certificateSecret(name),
      `${made.certificate}${issuing.certificate}${root.certificate}${made.key}`,
    ],
  };
};
