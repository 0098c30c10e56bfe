#!/bin/sh
# Make the two databases, each with an owner of its own who cannot enter the other one. PostgreSQL's image runs this
# once, when its volume is new.
set -eu

make_database() {
    psql --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
        --set=name="$1" --set=password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

: "${POSTGRES_USER:=postgres}"
make_database airflow "$AIRFLOW_DB_PASSWORD"
make_database exchange "$STORE_DB_PASSWORD"
