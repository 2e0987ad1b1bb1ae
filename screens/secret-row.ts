import {useEffect, useRef, useState} from 'react';
import {useDeployment, useProgram} from '../source/app/program.tsx';
import type {TextRow} from '../source/components/row.ts';

type Secret = {
  /** Its name in the vault. */
  readonly name: string;
  readonly label: string;
  readonly help: string;
};

/**
 * Fields for secrets that only the operator has. What is typed goes into the vault when one leaves the field or the
 * screen, and nowhere else; of what is there already one sees that it is there.
 */
export const useSecretRows = () => {
  const {services} = useProgram();
  const {name: deployment} = useDeployment();
  const [kept, setKept] = useState<readonly string[]>([]);
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});
  const [, setTyped] = useState<Readonly<Record<string, string>>>({});
  const typed = useRef<Readonly<Record<string, string>>>({});
  const shown = useRef(true);
  const {secretNames, keepSecret} = services;

  const keep = (secret: string): void => {
    const value = typed.current[secret];
    if (!value) return;
    void keepSecret(deployment, secret, value).then(result => {
      if (!shown.current) return;
      if (!result.ok) {
        setWrong(current => ({...current, [secret]: result.error}));
        return;
      }
      setKept(current => [...current, secret]);
      if (typed.current[secret] === value) type(secret, '');
    });
  };
  const type = (secret: string, text: string): void => {
    typed.current = {...typed.current, [secret]: text};
    setTyped(typed.current);
    setWrong(({[secret]: _, ...others}) => others);
  };

  const latest = useRef(keep);
  latest.current = keep;
  useEffect(() => {
    shown.current = true;
    void secretNames(deployment).then(names => {
      if (shown.current) setKept(names);
    });
    return () => {
      shown.current = false;
      for (const secret of Object.keys(typed.current)) latest.current(secret);
    };
  }, [secretNames, deployment]);

  const secretRow = ({name, label, help}: Secret): TextRow => {
    const isKept = kept.includes(name);
    const text = typed.current[name] ?? '';
    return {
      kind: 'text',
      id: `secret.${name}`,
      label,
      value: text,
      secret: true,
      placeholder: isKept ? 'in the vault; type to replace it' : '',
      onChange: next => type(name, next),
      onCommit: () => keep(name),
      ...(wrong[name] !== undefined && {error: wrong[name]}),
      ...(!isKept && text === '' && {warning: 'is still missing; without it the installation does not begin'}),
      help: `${help} It goes into the vault on this side only.`,
    };
  };
  return {secretRow};
};
