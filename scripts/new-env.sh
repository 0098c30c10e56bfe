#!/bin/sh
# Write .env for docker-compose.yaml: the values of .env.example, with a fresh secret wherever one is empty.
set -eu
cd "$(dirname "$0")/.."
umask 077

if [ -e .env ]; then
    echo "new-env: .env is there already and stays as it is; its secrets belong to the data in the volumes." >&2
    exit 1
fi

while IFS= read -r line; do
    case $line in
    AIRFLOW_FERNET_KEY=) printf '%s%s\n' "$line" "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')" ;;
    [A-Z]*=) printf '%s%s\n' "$line" "$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <.env.example >.env.new
mv .env.new .env
echo "new-env: .env is written; the UI's user is admin, with AIRFLOW_ADMIN_PASSWORD from it."
