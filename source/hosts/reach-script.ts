import {type Script, sh} from '../shell/script.ts';

/** Seconds until a connection that nobody answers is given up. A SYN is sent again after one and after three. */
export const connectSeconds = 4;

/**
 * Seconds after which listeners end by themselves, whatever became of the connection that started them: time for all
 * machines to log in and try, on a slow link.
 */
export const listenSeconds = 40;

/** Bytes that travel both ways: several packets of an ordinary network, so that one whose packets are smaller shows. */
const probeBytes = 6000;

export type Port = {readonly protocol: 'tcp' | 'udp'; readonly port: number};

/** Perl is on every Debian and Ubuntu (perl-base is essential, and has sockets); python, socat and nc may not be. */
const listener = `use strict; use warnings; use Socket; use IO::Select; use Errno qw(EADDRINUSE);
$| = 1;
my ($address, $seconds, $bytes, @ports) = @ARGV;
# Ends it also when nobody asks any more.
alarm $seconds;
$SIG{PIPE} = 'IGNORE';
my $select = IO::Select->new;
my (%listens, %got);
for my $text (@ports) {
  my ($kind, $port) = split m{/}, $text;
  my $udp = $kind eq 'udp';
  socket(my $socket, PF_INET, $udp ? SOCK_DGRAM : SOCK_STREAM, 0) or die $!;
  setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) unless $udp;
  if (bind($socket, sockaddr_in($port, inet_aton($address))) && ($udp || listen($socket, 16))) {
    $select->add($socket);
    $listens{$socket} = $kind;
    print "reach $text open\\n";
  } else {
    print "reach $text ", ($! == EADDRINUSE ? 'served' : "failed $!"), "\\n";
  }
}
print "reach ready\\n";
while (1) {
  for my $socket ($select->can_read) {
    my $kind = $listens{$socket} // '';
    if ($kind eq 'udp') {
      my $peer = recv($socket, my $text, 512, 0);
      send($socket, $text, 0, $peer) if defined $peer;
    } elsif ($kind eq 'tcp') {
      if (accept(my $client, $socket)) { $select->add($client); $got{$client} = 0 }
    } else {
      my $read = sysread($socket, my $text, 65536) || 0;
      $got{$socket} += $read;
      syswrite($socket, 'x' x $bytes) if $got{$socket} >= $bytes;
      if (!$read || $got{$socket} >= $bytes) { $select->remove($socket); delete $got{$socket}; close $socket }
    }
  }
}`;

const caller = `use strict; use warnings; use Socket; use IO::Socket::INET;
$| = 1;
my ($own, $seconds, $bytes, @targets) = @ARGV;
my @children;
for my $target (@targets) {
  my $child = fork // die $!;
  if ($child) { push @children, $child; next }
  my ($address, $kind, $port, $whose) = split m{/}, $target;
  my $end = sub { syswrite(STDOUT, "reach $address $kind/$port @_\\n"); exit };
  $SIG{ALRM} = sub { $end->('small') };
  my $socket = IO::Socket::INET->new(LocalAddr => $own, PeerAddr => $address, PeerPort => $port, Proto => $kind, Timeout => $seconds);
  $end->('no', $! + 0, "$!") unless $socket;
  # A program that is there answers only what it understands.
  $end->('yes') if $whose eq 'served';
  if ($kind eq 'udp') {
    $SIG{ALRM} = sub { $end->('no 110 no answer') };
    alarm $seconds;
    for (1 .. 2) { send($socket, 'groundwork', 0) }
    $end->(defined recv($socket, my $text, 512, 0) ? 'yes' : 'no 111 refused');
  }
  alarm $seconds;
  my $got = 0;
  syswrite($socket, 'x' x $bytes);
  while ($got < $bytes) { my $read = sysread($socket, my $text, 65536); last unless $read; $got += $read }
  $end->($got >= $bytes ? 'yes' : 'small');
}
waitpid($_, 0) for @children;`;

/** Whether the host's own firewall is on: then what does not get through says nothing about the network. */
const firewalled = sh`if { ufw status 2>/dev/null | grep -q '^Status: active'; } ||
  { iptables -S INPUT 2>/dev/null | grep -q '^-P INPUT \(DROP\|REJECT\)'; }; then echo 'reach firewalled'; fi`;

/**
 * Listens on ports of an address until it is ended, at most `listenSeconds`. Prints `reach tcp/5432 open` for each port
 * that it listens on, `served` where something listens already, then `reach ready`. Listens on that address alone, opens
 * nothing in any firewall, and leaves nothing behind.
 */
export const listenScript = (address: string, ports: readonly Port[]): Script =>
  sh`${firewalled}
exec perl -e ${listener} ${address} ${listenSeconds} ${probeBytes} ${ports.map(({protocol, port}) => `${protocol}/${port}`)} </dev/null`;

/** What is to be called: `served` by a program of the host, or by our listener. */
export type Target = Port & {readonly address: string; readonly served: boolean};

/**
 * Calls all targets at once, from one own address. Prints for each `reach 10.0.0.13 tcp/5432 yes`, `small` when only
 * small packets pass, or `no` with the system's number and words.
 */
export const callScript = (own: string, targets: readonly Target[]): Script =>
  sh`perl -e ${caller} ${own} ${connectSeconds} ${probeBytes} ${targets.map(
    ({address, protocol, port, served}) => `${address}/${protocol}/${port}/${served ? 'served' : 'ours'}`,
  )} </dev/null`;
