import {artifacts} from './artifacts.ts';
import {backup} from './backup.ts';
import {certificates} from './certificates.ts';
import {checklist} from './checklist.ts';
import type {Command} from './command.ts';
import {environment} from './environment.ts';
import {check, exportCommand, vault} from './files.ts';
import {importCommand} from './import.ts';
import {install, resume, retry} from './install.ts';
import {kubeconfig} from './kubeconfig.ts';
import {plan} from './plan.ts';
import {practice} from './practice.ts';
import {preflight} from './preflight.ts';
import {secrets} from './secrets.ts';
import {status} from './status.ts';
import {trust} from './trust.ts';
import {uninstallCommand} from './uninstall.ts';
import {verify} from './verify.ts';

/** In the order in which people need them. */
export const commands: readonly Command[] = [
  practice,
  checklist,
  importCommand,
  check,
  trust,
  certificates,
  artifacts,
  preflight,
  plan,
  install,
  resume,
  retry,
  environment,
  backup,
  uninstallCommand,
  verify,
  status,
  kubeconfig,
  exportCommand,
  secrets,
  vault,
];
