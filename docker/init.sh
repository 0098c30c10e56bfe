#!/bin/sh
# Put in place what all parts share; the `init` service of docker-compose.yaml runs it before any other part starts.
# Every line may run again at any time.
set -eu
exchange tenants check || echo "init: the files above do not hold; all other tenants work"
exchange migrate
airflow db migrate
python "$(dirname "$0")/shared.py" /tmp/connections.json
airflow connections import --overwrite /tmp/connections.json
rm /tmp/connections.json
