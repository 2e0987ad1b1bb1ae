import {describe, expect, it} from 'vitest';
import type {Deployment} from '../../source/deployment/schema.ts';
import {kubernetes as kubernetesSchema} from '../../source/deployment/schema.ts';
import type {Step} from '../../source/engine/step.ts';
import {ok} from '../../source/result.ts';
import {coreDns, istio, logging, monitoring, rancher, storageClass} from '../../steps/index.ts';
import {anEnvironment} from '../support/deployments.ts';
import {unquotedPlaces} from '../support/shell-quoting.ts';
import {contextFor, memoryVault, wholeDeployment} from '../support/step-context.ts';

const platform: readonly Step[] = [storageClass, coreDns, istio, rancher, monitoring, logging];

type Path = readonly (string | number)[];

/** Every text of a document, by its path. */
const texts = (value: unknown, path: Path = []): readonly Path[] => {
  if (typeof value === 'string') return [path];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) =>
    texts(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
};

const withText = (value: unknown, [first, ...rest]: Path, text: string): unknown => {
  if (first === undefined) return text;
  if (Array.isArray(value)) return value.map((item, index) => (index === first ? withText(item, rest, text) : item));
  return {...(value as object), [first]: withText((value as Record<string, unknown>)[first], rest, text)};
};

/** Every answer about the platform that is a text. */
const full: Deployment = (() => {
  const whole = wholeDeployment({environments: [anEnvironment({name: 'qa'})]});
  const kubernetes = kubernetesSchema.parse({
    registry: {address: 'https://registry.site:5000', user: 'puller'},
    monitoring: {
      alerts: {
        slack: {channel: '#alerts'},
        mail: {server: 'mail.site', from: 'g2p@site.example', to: ['ops@site.example'], user: 'g2p'},
        telegram: {chat: -1},
      },
    },
  });
  return {
    ...whole,
    components: {...whole.components, kubernetes},
    artifacts: {source: 'online', proxy: {address: 'http://proxy.site:3128', exclude: ['.site']}},
  };
})();

/** A text that is refused is as harmless as one that is quoted. */
const unlessRefused = <Value>(call: () => readonly Value[]): readonly Value[] => {
  try {
    return call();
  } catch {
    return [];
  }
};

/** Everything that a step would send to the host: what looks, and what is applied where nothing is there. */
const scriptsOf = async (
  step: Step,
  deployment: Deployment,
  vault: Map<string, string>,
): Promise<readonly string[]> => {
  const context = await contextFor(step, {deployment, vault: new Map(vault)});
  const resources = unlessRefused(() => step.resources(context));
  const found = [...resources.map(({probe}) => probe), ...unlessRefused(() => step.verify(context)).map(v => v.script)];
  for (const resource of resources) {
    const assessed = resource.assess({code: 1, stdout: '', stderr: ''});
    await (assessed.ok ? assessed.value.apply : undefined)?.({
      now: () => context.now,
      tell: () => {},
      send: async () => ok(undefined),
      run: async script => {
        found.push(script);
        return ok({code: 0, stdout: '', stderr: '', truncated: false});
      },
    });
  }
  return found.map(({text}) => text);
};

describe('a text of the deployment that means something to a shell', () => {
  it('stands inside single quotes wherever a step of the platform sends it', {timeout: 120_000}, async () => {
    const text = 'x$(canary)x';
    const vault = new Map<string, string>();
    for (const step of platform) await memoryVault(step, full, vault);
    const carried = new Set<string>();
    for (const path of texts(full)) {
      const poisoned = withText(full, path, text) as Deployment;
      for (const step of platform) {
        for (const script of await scriptsOf(step, poisoned, vault)) {
          expect(unquotedPlaces(script, text), path.join('.')).toEqual([]);
          if (script.includes(text)) carried.add(path.join('.'));
        }
      }
    }
    // So that the silence above means something.
    expect([...carried]).toEqual(expect.arrayContaining(['domain', 'components.kubernetes.storage.className']));
  });
});
