import type {Deployment} from '../deployment/schema.ts';
import type {Facts} from '../hosts/facts.ts';
import type {Assessment, Products, Resource} from '../resources/resource.ts';
import {err, type Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import type {Failure} from './failure.ts';
import type {Instance} from './graph.ts';
import {namesIn, type StepContext} from './step.ts';

/** What building the resources of a step takes, beside facts and products. */
export type Setting = {
  readonly deployment: Deployment;
  readonly secret: (name: string) => string;
  readonly now: () => Date;
  /** A new random word for each framed script. */
  readonly marker: () => string;
};

export const contextOf = (instance: Instance, facts: Facts, products: Products, setting: Setting): StepContext => ({
  deployment: setting.deployment,
  host: instance.host,
  facts,
  products,
  secret: setting.secret,
  now: setting.now(),
});

/** The first product that a step needs and that nobody has made; undefined when it has all. */
export const missingProduct = (
  {step}: Instance,
  products: Products,
  {deployment}: Pick<Setting, 'deployment'>,
): string | undefined => namesIn(step.needs, deployment).find(name => !(name in products));

/** The resources of a step on a host; undefined while a product that it needs is missing. */
export const buildResources = (
  instance: Instance,
  facts: Facts,
  products: Products,
  setting: Setting,
): readonly Resource[] | undefined =>
  missingProduct(instance, products, setting) === undefined
    ? instance.step.resources(contextOf(instance, facts, products, setting))
    : undefined;

export type Assessed = {readonly resource: Resource; readonly assessment: Result<Assessment, string>};

export const assessWith = (resource: Resource, output: PartOutput | undefined): Result<Assessment, string> => {
  if (!output) return err('was not probed');
  const assessed = resource.assess(output);
  return assessed.ok ? assessed : err(`${resource.id}: ${assessed.error}`);
};

/** What was thrown, as a failure: only a bug throws. */
export const bug = (error: unknown, about: Pick<Failure, 'host' | 'attempted'> = {}): Failure => ({
  kind: 'bug',
  ...about,
  message: `A fault in Groundwork itself: ${error instanceof Error ? error.message : String(error)}`,
  tail: error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 8) : [],
  remedy: 'Nothing is lost. Please report it with these lines; going on with the rest is safe.',
});
