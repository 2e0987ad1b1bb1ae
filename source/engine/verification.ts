import type {Facts} from '../hosts/facts.ts';
import type {Products} from '../resources/resource.ts';
import {err, type Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import {contextOf, type Setting} from './context.ts';
import type {NewEvent} from './events.ts';
import type {Failure} from './failure.ts';
import type {Instance} from './graph.ts';
import type {Verification} from './step.ts';

export type Verified = {readonly verification: Verification; readonly result: Result<string, string>};

/** The verifications of a step for its present state. */
export const verificationsOf = (
  instance: Instance,
  facts: Facts,
  products: Products,
  setting: Setting,
): readonly Verification[] => instance.step.verify(contextOf(instance, facts, products, setting));

/** What answers, by the text of the script, say about verifications. */
export const verified = (
  verifications: readonly Verification[],
  answers: ReadonlyMap<string, PartOutput>,
): readonly Verified[] =>
  verifications.map(verification => {
    const output = answers.get(verification.script.text);
    return {verification, result: output ? verification.check(output) : err('it was not asked')};
  });

/** The failure of verifications that did not pass; undefined when all did. */
export const verificationFailure = ({step, host}: Instance, results: readonly Verified[]): Failure | undefined => {
  const wrong = results.flatMap(({verification, result}) =>
    result.ok ? [] : [{title: verification.title, error: result.error}],
  );
  if (wrong.length === 0) return undefined;
  return {
    kind: 'verification',
    host: host.name,
    attempted: `verifying ${step.title}`,
    message: `Not true: ${wrong.map(({title}) => title).join('; ')}`,
    tail: wrong.map(({title, error}) => `${title}: ${error}`),
  };
};

export const tellVerified = (
  instance: Instance,
  results: readonly Verified[],
  emit: (event: NewEvent) => void,
): void => {
  for (const {verification, result} of results) {
    emit({
      type: 'verified',
      step: instance.step.id,
      host: instance.host.name,
      check: verification.id,
      title: verification.title,
      passed: result.ok,
      detail: result.ok ? result.value : result.error,
    });
  }
};
