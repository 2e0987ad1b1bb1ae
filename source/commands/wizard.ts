import type {Deployment} from '../deployment/schema.ts';
import {clock} from './clock.ts';
import type {Options, World} from './command.ts';
import {unlockVault} from './inputs.ts';
import {servicesOf} from './services.ts';
import type {Site} from './site.ts';

/** How the screens look. */
export const screenOptions = {
  ascii: {type: 'boolean', help: 'draw with ASCII characters only'},
  'no-color': {type: 'boolean', help: 'no colour, as with NO_COLOR'},
  'screen-reader': {type: 'boolean', help: 'plain sequential text for screen readers'},
} as const satisfies Options;

export type WizardStart = {
  readonly deployment?: Deployment;
  readonly route?: string;
  readonly ascii?: boolean;
  readonly noColor?: boolean;
  readonly screenReader?: boolean;
};

/** Opens the screens, and settles with the exit status when the operator has left them. */
export const openWizard = async (world: World, site: Site, {deployment, ...start}: WizardStart): Promise<number> => {
  for (const saved of site.store.list()) await unlockVault(world, site, saved.deployment.name);
  if (deployment) {
    const saved = site.store.get(deployment.name);
    site.store.save({...saved, deployment, updatedAt: clock.now().toISOString(), practice: site.practice});
  }
  // Loaded here, because commands do without the screens and start in half the time.
  const {runApp} = await import('../app/run-app.tsx');
  const ended = await runApp({
    services: servicesOf(site),
    stdin: world.stdin,
    stdout: world.stdout,
    environment: world.environment,
    options: {...start, ...(deployment && {deployment: deployment.name})},
  });
  return ended.code;
};
