import {certificates} from '../../steps/certificates/certificates.ts';
import {nginx} from '../../steps/nginx/nginx.ts';
import {withoutEnvironment} from '../blueprints/removal.ts';
import type {Deployment} from '../deployment/schema.ts';
import {ok, type Result} from '../result.ts';
import {clock} from './clock.ts';
import type {Site} from './site.ts';

/** What names an environment on the proxy, and is done once more when it is gone. */
export const stepsAfterEnvironment: readonly string[] = [certificates.id, nginx.id];

/**
 * The saved deployment without an environment that is gone. Until then it stays in it, so that a removal that was cut off
 * can be repeated.
 */
export const forgetEnvironment = (site: Site, deployment: Deployment, name: string): Result<Deployment, string> => {
  const without = withoutEnvironment(deployment, name);
  const saved = site.store.save({
    ...(site.store.get(deployment.name) ?? {practice: site.practice}),
    deployment: without,
    updatedAt: clock.now().toISOString(),
  });
  return saved.ok ? ok(without) : saved;
};
