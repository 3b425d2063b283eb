#!/bin/bash
# Bring up a Slurm of one node in a folder: partitions cpu and gpu, two stand-in GPUs, no accounting.
# Nothing outside the folder is written. down.sh stops it, and so does the end of the process PID.
# Usage: up.sh FOLDER PID, and then SLURM_CONF=FOLDER/slurm.conf PATH=FOLDER/bin:$PATH for whatever
# calls Slurm.
set -euo pipefail
folder=$(realpath "$1")
owner=$2
here=$(dirname "$(realpath "$0")")
export PATH=$PATH:/usr/sbin SLURM_CONF=$folder/slurm.conf
host=$(hostname -s)
user=$(id -un)
cpus=$(($(nproc) > 4 ? $(nproc) : 4))  # so that GPUs, not CPUs, are what jobs wait for
memory=$(awk '/^MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
read -r port_controller port_node < <(python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
[s.bind(("", 0)) for s in sockets]
print(*(s.getsockname()[1] for s in sockets))')

mkdir -p "$folder"/{state,spool}
chmod 755 "$folder"
cat >"$SLURM_CONF" <<END
ClusterName=standin
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port_controller
SlurmdPort=$port_node
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=10
CredType=cred/munge
SlurmUser=$user
SlurmdUser=$user
SlurmdParameters=config_overrides
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=1,bf_interval=1
AccountingStorageType=accounting_storage/none
# memory is watched by polling, as cgroups need rights that a container lacks
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=2
ReturnToService=2
MinJobAge=7200
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes=$host Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=$host Default=NO MaxTime=INFINITE State=UP
END
# a GPU needs a device file of its own, or its node is drained
printf 'Name=gpu File=/dev/%s\n' null zero >"$folder/gres.conf"

# Snakemake's jobs clear SLURM_* from the environment before they call srun, SLURM_CONF among them
mkdir -p "$folder/bin"
printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v srun)" >"$folder/bin/srun"
chmod 755 "$folder/bin/srun"

setsid bash -c 'tail --pid="$1" -f /dev/null; exec "$2/down.sh" "$3"' - "$owner" "$here" "$folder" \
    >/dev/null 2>&1 </dev/null &

head -c 1024 /dev/urandom >"$folder/munge.key"
chmod 400 "$folder/munge.key"
munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
    --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" --seed-file="$folder/munged.seed"
slurmctld -i
slurmd
for _ in $(seq 60); do
    sinfo --noheader --format=%t 2>/dev/null | grep -qE '^(idle|mix|alloc)' && exit 0
    sleep 0.5
done
echo "Slurm did not come up; the last words of its daemons:" >&2
tail -n 5 "$folder"/{munged,slurmctld,slurmd}.log >&2
exit 1
