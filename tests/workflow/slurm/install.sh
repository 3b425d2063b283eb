#!/bin/bash
# See to Slurm's and munge's programs: install Debian's packages where that is allowed, else say how.
set -eu
line="apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge"
have() { PATH=$PATH:/usr/sbin command -v "$1" >/dev/null; }
if have slurmctld && have slurmd && have sbatch && have munged; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    # policy-rc.d: the packages must not start daemons of their own
    policy=/usr/sbin/policy-rc.d
    [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && trap "rm -f $policy" EXIT; }
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line -qq; } >/dev/null && exit 0
fi
echo "Slurm is needed for this test and could not be installed. Type: sudo $line" >&2
exit 1
