#!/bin/bash
# Stop what up.sh started, and every job with it. Usage: down.sh FOLDER
folder=$(realpath "$1")
export PATH=$PATH:/usr/sbin SLURM_CONF=$folder/slurm.conf
pids=$(cat "$folder"/{slurmd,slurmctld,munged}.pid 2>/dev/null)
alive() {
    for pid in $pids; do kill -0 "$pid" 2>/dev/null && return 0; done
    return 1
}
if alive; then
    scancel --quiet --partition=cpu,gpu 2>/dev/null
    for _ in $(seq 20); do
        [ -z "$(squeue --noheader 2>/dev/null)" ] && break
        sleep 0.5
    done
fi
# a job whose node died may have outlived it
jobs=$(grep -lzx "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null | xargs -r grep -slz ^SLURM_JOB_ID= | cut -d/ -f3)
[ -n "$jobs" ] && kill -KILL $jobs 2>/dev/null
for pid in $pids; do kill "$pid" 2>/dev/null; done
for _ in $(seq 40); do
    alive || exit 0
    sleep 0.5
done
for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
exit 0
