import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram, useTask, useWizard} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {Confirm} from '../source/components/confirm.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import type {HostSpec} from '../source/deployment/schema.ts';
import type {HostKeyFinding} from '../source/hosts/host-key.ts';
import {menuHints} from './hints.ts';
import {HostAdd} from './hosts-add.tsx';
import {HostChecks} from './hosts-checks.tsx';
import {HostEdit} from './hosts-edit.tsx';
import {HostKeys} from './hosts-keys.tsx';
import {HostsList} from './hosts-list.tsx';
import {HostLogin} from './hosts-login.tsx';
import {HostMenu} from './hosts-menu.tsx';
import {HostSizes} from './hosts-sizes.tsx';
import {hostState, loginText} from './hosts-text.ts';

type View =
  | {readonly kind: 'list'; readonly from?: string}
  | {readonly kind: 'add'}
  | {readonly kind: 'sizes'}
  | {readonly kind: 'host'; readonly name: string; readonly from?: string}
  | {readonly kind: 'edit'; readonly name: string}
  | {readonly kind: 'remove'; readonly name: string}
  | {readonly kind: 'login'; readonly name: string}
  | {readonly kind: 'checks'; readonly name: string}
  | {readonly kind: 'keys'; readonly findings: readonly HostKeyFinding[]};

/** The machines: found, named, reached, and looked at. */
export const HostsScreen = () => {
  const {services, wizard} = useProgram();
  const {reports} = useWizard();
  const {glyphs} = useTheme();
  const {deployment} = useAnswers();
  const {readable} = useBody();
  const [view, setView] = useState<View>({kind: 'list'});
  const task = useTask();
  const toList = (): void => setView({kind: 'list'});

  useKeys(key => {
    if (key.name !== 'escape' || (view.kind === 'list' && !task.doing)) return false;
    task.cancel();
    const parent: View =
      (view.kind === 'edit' || view.kind === 'login' || view.kind === 'checks' || view.kind === 'remove') &&
      deployment.hosts.some(host => host.name === view.name)
        ? {kind: 'host', name: view.name, from: view.kind}
        : {kind: 'list', ...(view.kind === 'sizes' && {from: 'sizes'})};
    setView(parent);
    return true;
  });

  const inspect = (): void =>
    task.start('Logging in and looking around', async signal => {
      await services.inspect(
        wizard.get().deployment ?? deployment,
        report => {
          if (!signal.aborted) wizard.report(report);
        },
        signal,
      );
      if (signal.aborted) return;
      wizard.suggestMachines();
      const {deployment: now = deployment, reports: found} = wizard.get();
      if (now.hosts.length > 1) {
        await services.tryConnections(
          now,
          Object.values(found),
          report => {
            if (!signal.aborted) wizard.report(report);
          },
          signal,
        );
      }
    });

  /** Keys first: nothing is sent to a host whose key nobody has vouched for. */
  const check = (): void => {
    setView({kind: 'list'});
    const current = wizard.get().deployment ?? deployment;
    const remote = current.hosts.filter(host => host.reach === 'ssh');
    wizard.forgetReports();
    task.start('Fetching host keys', async signal => {
      const results = await services.hostKeys(remote, signal);
      if (signal.aborted) return;
      results.forEach((result, index) => {
        const host = remote[index];
        if (!result.ok && host) wizard.report({host: host.name, state: 'failed', failure: result.error});
      });
      const findings = results.flatMap(result => (result.ok ? [result.value] : []));
      if (findings.some(finding => finding.status !== 'known')) setView({kind: 'keys', findings});
      else if (results.length === 0 || findings.length > 0) inspect();
    });
  };

  const hostOf = (name: string): HostSpec | undefined => deployment.hosts.find(host => host.name === name);
  const named = 'name' in view ? hostOf(view.name) : undefined;

  switch (view.kind) {
    case 'add':
      return <HostAdd onDone={toList} />;
    case 'sizes':
      return <HostSizes />;
    case 'keys':
      return (
        <HostKeys
          findings={view.findings}
          onAccept={accepted => {
            setView({kind: 'list'});
            task.start('Keeping the host keys', async () => {
              await services.trust(accepted);
              inspect();
            });
          }}
          onBack={toList}
        />
      );
    case 'host':
      if (named) {
        return (
          <HostMenu
            host={named}
            state={hostState(reports[named.name], deployment.acceptedChecks)}
            report={reports[named.name]}
            from={view.from}
            onChoose={kind => (kind === 'check' ? check() : setView({kind, name: named.name}))}
          />
        );
      }
      break;
    case 'edit':
      if (named) {
        return (
          <HostEdit
            key={named.name}
            host={named}
            onDone={name => setView({kind: 'host', name, from: 'edit'})}
            onRenamed={name => setView({kind: 'edit', name})}
          />
        );
      }
      break;
    case 'login':
      if (named) return <HostLogin host={named} onDone={check} />;
      break;
    case 'checks':
      if (named) return <HostChecks host={named} onCheckAgain={check} />;
      break;
    case 'remove':
      if (named) {
        return (
          <Frame title={`Remove ${named.name}`} hints={menuHints(glyphs)}>
            <Confirm
              word={named.name}
              columns={readable}
              onConfirm={() => {
                wizard.change(current => ({
                  ...current,
                  hosts: current.hosts.filter(host => host.name !== named.name),
                  acceptedChecks: current.acceptedChecks.filter(text => !text.startsWith(`${named.name}:`)),
                }));
                wizard.forgetReports([named.name]);
                toList();
              }}
            >
              {`${named.name} (${loginText(named)}) is taken out of the answers. The machine itself is left as it is.`}
            </Confirm>
          </Frame>
        );
      }
      break;
    default:
      break;
  }
  return (
    <HostsList
      doing={task.doing}
      from={view.kind === 'list' ? view.from : undefined}
      onCheck={() => (task.doing ? task.cancel() : check())}
      onOpen={name => setView({kind: 'host', name})}
      onAdd={() => setView({kind: 'add'})}
      onSizes={() => setView({kind: 'sizes'})}
    />
  );
};
